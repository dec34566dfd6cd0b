/*
 * FIQL: any text either parses and compiles to SQL with as many marks as binds, or is refused with
 * a place inside the text.  No value of the filter enters the SQL.
 *
 * FUZZ_SOURCES: server/fleet/fiql.c server/fleet/fiql_sql.c server/fleet/fields.c
 */
#include "server/fleet/fiql.h"
#include "server/fleet/fields.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_marks(const struct mue_fiql_sql *sql)
{
	unsigned marks = 0;

	for (size_t i = 0; i < sql->len; i++)
		marks += sql->where[i] == '?';
	if (marks != sql->count || strlen(sql->where) != sql->len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mue_fiql q;
	static struct mue_fiql_sql sql;
	struct mue_fiql_context context = { mue_fields_target, 1, 2 };
	struct mue_fiql_error error;
	char *text, order[256];

	if (size > 2 * MUE_FIQL_TEXT)
		return 0;
	text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (mue_fiql_parse(text, &q, &error) == 0) {
		if (mue_fiql_compile(&q, &context, &sql, &error) == 0)
			check_marks(&sql);
	} else if (error.position > strlen(text) || error.text[0] == '\0') {
		abort();
	}
	mue_fiql_order(text, mue_fields_target, "t.id", order, sizeof(order), &error);
	free(text);
	return 0;
}
