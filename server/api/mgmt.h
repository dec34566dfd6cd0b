/*
 * mgmt.h - private to the management API (/rest/v1, hawkBit's Management API v1): entities as
 * tables of columns, lists with paging and filters, bodies, answers.
 *
 * A handler parses its body, then runs one function inside the store (mgmt_read or mgmt_write)
 * which leaves the answer's JSON in the operation.
 */
#ifndef MUE_SERVER_API_MGMT_H
#define MUE_SERVER_API_MGMT_H

#include "server/fleet/fields.h"
#include "server/http/router.h"
#include "server/server.h"
#include "server/store/store.h"

#include <jansson.h>

/* What a JSON property is made of.  NULL columns are left out of the object. */
enum mgmt_kind { MGMT_TEXT, MGMT_INT, MGMT_BOOL, MGMT_REAL };

struct mgmt_column {
	const char *name;
	enum mgmt_kind kind;
	const char *sql;
};

/* An answer of hawkBit's that no verdict maps to. */
struct mgmt_fault {
	unsigned status;
	const char *code, *class;
};
extern const struct mgmt_fault mgmt_locked; /* 423 */

/* One request's work inside the store. */
struct mgmt_op {
	struct mue_request *r;
	struct mue_db *db; /* set while the store function runs */
	json_t *in;        /* the body, NULL: none; owned by the request */
	json_t *out;       /* the answer, NULL: empty body */
	const char *text;  /* operation's own: a path parameter, ... */
	int64_t id, id2;   /* operation's own */
	int64_t now;
	const char *base;               /* of links; made when first needed */
	const struct mgmt_fault *fault; /* how a refusal is answered; NULL: by its verdict */
	bool kick;                      /* wake the jobs after the commit */
};

struct mgmt_entity {
	const char *what;  /* for sentences: "software module" */
	const char *from;  /* "module m" */
	const char *id;    /* "m.id" */
	const char *alive; /* condition of what may be listed, or NULL */
	const char *order; /* default order, unique */
	const struct mue_field *fields;
	const struct mgmt_column *columns; /* ended by name NULL */
	/* Adds links and what no column says.  `full` for one entity, false in a list. */
	int (*finish)(struct mgmt_op *op, json_t *json, int64_t id, bool full, struct mue_error *e);
};

/* The end of every column table of a tracked entity. */
#define MGMT_TRACKED(alias)                                            \
	{ "createdBy", MGMT_TEXT, alias ".created_by" },               \
		{ "createdAt", MGMT_INT, alias ".created_at" },        \
		{ "lastModifiedBy", MGMT_TEXT, alias ".modified_by" }, \
	{                                                              \
		"lastModifiedAt", MGMT_INT, alias ".modified_at"       \
	}

/* ---- inside the store ---- */

typedef int mgmt_fn(struct mgmt_op *op, struct mue_error *e);

/* Runs fn on a snapshot (in a transaction), then answers with op->out and `status`. */
int mgmt_read(struct mgmt_op *op, mgmt_fn *fn, unsigned status, struct mue_error *e);
int mgmt_write(struct mgmt_op *op, mgmt_fn *fn, unsigned status, struct mue_error *e);

/* One entity by its id as JSON, also a deleted one.  MUE_ENOTFOUND names it. */
int mgmt_load(struct mgmt_op *op, const struct mgmt_entity *entity, int64_t id, bool full,
	      json_t **ret, struct mue_error *e);

/* A page of entities: op->out becomes {content, total, size}.  `where` (NULL: all) may hold one ?
 * per letter of `types` (i: int64_t, t: const char *).  offset, limit, sort and q come from the
 * request. */
int mgmt_page(struct mgmt_op *op, const struct mgmt_entity *entity, const char *where,
	      struct mue_error *e, const char *types, ...);
/* The same as a bare array, without paging. */
int mgmt_array(struct mgmt_op *op, const struct mgmt_entity *entity, const char *where,
	       struct mue_error *e, const char *types, ...);

/* Makes one entity of each element of the body with fn; op->out becomes the array of them. */
typedef int mgmt_create_fn(struct mgmt_op *op, const json_t *json, int64_t *ret_id,
			   struct mue_error *e);
int mgmt_create_each(struct mgmt_op *op, const struct mgmt_entity *entity, mgmt_create_fn *fn,
		     struct mue_error *e);

/* Marks a row of `table` deleted; deleting again succeeds.  MUE_ENOTFOUND when it never was. */
int mgmt_soft_delete(struct mgmt_op *op, const char *table, const char *what, int64_t id,
		     struct mue_error *e);

/* MUE_ENOTFOUND with a sentence unless the entity is there and alive. */
int mgmt_exists(struct mgmt_op *op, const struct mgmt_entity *entity, int64_t id,
		struct mue_error *e);

/* The target's row id by its controller id. */
int mgmt_target_id(struct mgmt_op *op, const char *controller_id, int64_t *ret,
		   struct mue_error *e);

/* Sets modified_at and modified_by. */
int mgmt_touch(struct mgmt_op *op, const char *table, int64_t id, struct mue_error *e);

/* ---- around the store ---- */

/* A handler that lists (GET collection), or gives one entity by the path's {name}. */
int mgmt_get_page(struct mue_request *r, const struct mgmt_entity *entity, struct mue_error *e);
int mgmt_get_one(struct mue_request *r, const struct mgmt_entity *entity, const char *name,
		 struct mue_error *e);

/* An operation with the body parsed (body: must be there) and {name} as op->id (NULL: none).  1:
 * the request was answered already (406, 415), the handler returns 0. */
int mgmt_begin(struct mgmt_op *op, struct mue_request *r, bool body, const char *name,
	       struct mue_error *e);

static inline int mgmt_over(int begun)
{
	return begun > 0 ? 0 : begun;
}

/* ---- bodies ---- */

/* Text property of at most `max` bytes without control characters.  *ret stays as it is when the
 * property is absent or null.  MUE_EINVAL names the property; also when it is absent and required.
 */
int mgmt_text(const json_t *object, const char *name, size_t max, bool required, const char **ret,
	      struct mue_error *e);
int mgmt_int(const json_t *object, const char *name, int64_t min, int64_t max, bool required,
	     int64_t *ret, struct mue_error *e);
int mgmt_bool(const json_t *object, const char *name, bool *ret, struct mue_error *e);

/* The i-th object of a body that is an array of objects (or one object alone); NULL past the end.
 * MUE_EINVAL when an element is no object. */
int mgmt_item(const json_t *body, size_t i, const json_t **ret, struct mue_error *e);

enum { MGMT_NAME = 128, MGMT_VERSION = 64, MGMT_DESCRIPTION = 512, MGMT_KEY = 64 };

/* ---- answers ---- */

/* Adds "_links": {name: {"href": base + formatted path}}. */
int mgmt_link(struct mgmt_op *op, json_t *json, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Answers with op->out, or with the refusal: `verdict` is what the store function gave.  For
 * handlers that do not go through mgmt_read or mgmt_write. */
int mgmt_answer(struct mgmt_op *op, unsigned status, int verdict, struct mue_error *e);

/* Refuses with `fault`; returns MUE_EPERM. */
int mgmt_fail(struct mgmt_op *op, const struct mgmt_fault *fault, struct mue_error *e,
	      const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Entities shared between files. */
extern const struct mgmt_entity mgmt_target, mgmt_set, mgmt_module, mgmt_module_type, mgmt_set_type,
	mgmt_target_type, mgmt_action, mgmt_rollout, mgmt_group, mgmt_filter, mgmt_target_tag,
	mgmt_set_tag;

/* Reads the properties of an assignment that hawkBit has in common for sets, targets and filters:
 * type, forcetime, weight, confirmationRequired, maintenanceWindow.  Strings live as `object`. */
struct mue_assignment;
int mgmt_read_assignment(struct mgmt_op *op, const json_t *object, struct mue_assignment *ret,
			 struct mue_error *e);
/* A set that may be handed out: there, valid, complete.  MUE_ENOTFOUND, MUE_EINVAL. */
int mgmt_check_set(struct mgmt_op *op, int64_t id, struct mue_error *e);
/* Assigns and counts into op->out {assigned, alreadyAssigned, total, assignedActions}. */
int mgmt_assign(struct mgmt_op *op, const struct mue_assignment *a, bool offline,
		struct mue_error *e);

#endif
