/*
 * fiql.h - the filter language of `q=` (FIQL/RSQL as hawkBit speaks it): text -> tree -> SQL.
 *
 *   filter     = and *( ("," / " or ") and )
 *   and        = term *( (";" / " and ") term )
 *   term       = "(" filter ")" / selector operator value / selector ("=in="/"=out=") "(" list ")"
 *   operator   = "==" "!=" "<" "=lt=" "<=" "=le=" ">" "=gt=" ">=" "=ge=" "=in=" "=out="
 *   value      = unreserved text, or text in ' or " with \ before a literal character
 *
 * `*` in a value of == and != stands for any text (\* for the star itself); text compares without
 * regard to ASCII case; an empty value means "not set".  ${NOW_TS} is the current time in
 * milliseconds, ${OVERDUE_TS} the last_seen below which a device is overdue.
 *
 * Pure: no memory but the caller's, no I/O.  Values never enter the SQL text: they are bound.
 */
#ifndef MUE_SERVER_FLEET_FIQL_H
#define MUE_SERVER_FLEET_FIQL_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MUE_FIQL_TEXT = 4096, /* longest filter, bytes */
	MUE_FIQL_NODES = 256, /* comparisons and operators */
	MUE_FIQL_VALUES = 512,
	MUE_FIQL_DEPTH = 32,      /* nested parentheses */
	MUE_FIQL_SQL = 48 * 1024, /* longest WHERE expression */
};

enum mue_fiql_op {
	MUE_FIQL_AND,
	MUE_FIQL_OR,
	MUE_FIQL_EQ,
	MUE_FIQL_NE,
	MUE_FIQL_LT,
	MUE_FIQL_LE,
	MUE_FIQL_GT,
	MUE_FIQL_GE,
	MUE_FIQL_IN,
	MUE_FIQL_OUT,
};

struct mue_fiql_node {
	enum mue_fiql_op op;
	int left, right;              /* AND, OR: indices of nodes */
	const char *selector;         /* comparisons: as written */
	unsigned first_value, values; /* comparisons */
	unsigned position;            /* byte offset in the filter where it begins */
};

/* Why a filter was refused: what and where. */
struct mue_fiql_error {
	unsigned position; /* byte offset from 0 */
	char text[120];    /* "expected an operator after 'name'" */
};

/* A parsed filter.  About 26 KB: keep it off small stacks. */
struct mue_fiql {
	struct mue_fiql_node nodes[MUE_FIQL_NODES];
	unsigned node_count;
	int root;                            /* -1: the empty filter, which matches everything */
	const char *values[MUE_FIQL_VALUES]; /* `\*` and `\\` kept, so that wildcards stay known */
	unsigned value_count;
	char text[2 * MUE_FIQL_TEXT];
	unsigned used;
};

/* Parses; NULL or blank text gives the empty filter.  MUE_EFORMAT or MUE_ESIZE with *ret_error
 * filled. */
int mue_fiql_parse(const char *text, struct mue_fiql *ret, struct mue_fiql_error *ret_error);

/* ---- compiling to SQL ---- */

enum mue_field_kind {
	MUE_FIELD_TEXT,
	MUE_FIELD_INT,  /* also times (milliseconds since 1970) */
	MUE_FIELD_BOOL, /* true, false */
};

/*
 * One selector.  `sql` is the expression compared.  With `exists` set the field is many-valued (or
 * keyed): the condition is EXISTS (`exists` AND value-condition on `sql`), and != means that no
 * value is equal.  A name that ends in "." takes a key ("attribute.serial"): `exists` then holds
 * one %k where the bound key goes.
 */
struct mue_field {
	const char *name; /* lower case */
	enum mue_field_kind kind;
	const char *sql;
	const char *exists;
};

/* A table of fields ends with name NULL. */
struct mue_fiql_context {
	const struct mue_field *fields;
	int64_t now_ms, overdue_ms;
};

struct mue_fiql_bind {
	bool is_text;
	int64_t number;
	const char *text; /* lives in the mue_fiql or in mue_fiql_sql */
};

struct mue_fiql_sql {
	char where[MUE_FIQL_SQL]; /* "1" for the empty filter; `?` for each bind, in order */
	size_t len;
	struct mue_fiql_bind binds[2 * MUE_FIQL_VALUES];
	unsigned count;
	char text[2 * MUE_FIQL_TEXT]; /* lowered patterns and keys */
	size_t used;
};

/* Compiles `q` for the fields of one entity.  MUE_ENOTFOUND: unknown selector; MUE_EFORMAT: a value
 * of the wrong kind; MUE_ESIZE: too long.  *ret_error names the selector and its place. */
int mue_fiql_compile(const struct mue_fiql *q, const struct mue_fiql_context *context,
		     struct mue_fiql_sql *ret, struct mue_fiql_error *ret_error);

/*
 * Compiles "name:ASC,id:DESC" to an ORDER BY list of plain fields, `otherwise` when `sort` is NULL
 * or blank.  MUE_EFORMAT, MUE_ENOTFOUND, MUE_ESIZE as above.
 */
int mue_fiql_order(const char *sort, const struct mue_field *fields, const char *otherwise,
		   char *ret, size_t room, struct mue_fiql_error *ret_error);

#endif
