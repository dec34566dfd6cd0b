/* Filters: the grammar, the errors with their places, and what the compiled SQL really selects. */
#include "server/fleet/fields.h"
#include "server/fleet/fiql.h"
#include "server/store/schema.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct fixture {
	sqlite3 *db;
	struct mue_fiql q;
	struct mue_fiql_sql sql;
};

static const char rows[] =
	"INSERT INTO dist_set (id, type_id, name, version, created_at, created_by, modified_at,"
	" modified_by) VALUES (7, 1, 'app', '1.0', 0, '', 0, ''), (8, 1, 'app', '2.0', 0, '', 0, "
	"'');"
	"INSERT INTO target (id, controller_id, name, description, security_token, update_status,"
	" installed_set, last_seen, created_at, created_by, modified_at, modified_by) VALUES"
	" (1, 'dev-1', 'First one', 'on the bench', 't', 'in_sync', 8, 1000, 10, '', 0, ''),"
	" (2, 'dev-2', 'second', NULL, 't', 'pending', 7, 2000, 20, '', 0, ''),"
	" (3, 'DEV-3', '100%', '', 't', 'error', NULL, NULL, 30, '', 0, ''),"
	" (4, 'x*y', 'it''s (odd), \"really\"; yes', 'd', 't', 'unknown', 7, 4000, 40, '', 0, ''),"
	" (5, 'x_y', 'back\\slash', 'd', 't', 'unknown', NULL, 5000, 50, '', 0, '');"
	"INSERT INTO tag (id, kind, name, created_at, created_by, modified_at, modified_by) VALUES"
	" (1, 'target', 'bench', 0, '', 0, ''), (2, 'target', 'lab', 0, '', 0, '');"
	"INSERT INTO target_tag (tag_id, target_id) VALUES (1, 1), (2, 1), (2, 2);"
	"INSERT INTO target_attribute (target_id, key, value) VALUES (1, 'hw', 'rev-A'),"
	" (2, 'hw', 'rev-b'), (3, 'hw', ''), (4, 'HW', 'rev-a');";

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(sqlite3_open(":memory:", &f->db), SQLITE_OK);
	for (unsigned version = 0; mue_schema_step(version); version++)
		for (const char *const *sql = mue_schema_step(version); *sql; sql++)
			assert_int_equal(sqlite3_exec(f->db, *sql, NULL, NULL, NULL), SQLITE_OK);
	if (sqlite3_exec(f->db, rows, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("rows: %s", sqlite3_errmsg(f->db));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sqlite3_close(f->db);
	free(f);
	return 0;
}

/* The ids that match, as "1 2 5". */
static void select_ids(struct fixture *f, const char *filter, char *ret, size_t room)
{
	static const char head[] = "SELECT t.id FROM target t WHERE ";
	struct mue_fiql_context context = { mue_fields_target, 3000, 1500 };
	struct mue_fiql_error error;
	char *text = malloc(sizeof(head) + MUE_FIQL_SQL);
	sqlite3_stmt *stmt;
	size_t used = 0;

	assert_non_null(text);
	if (mue_fiql_parse(filter, &f->q, &error) < 0 ||
	    mue_fiql_compile(&f->q, &context, &f->sql, &error) < 0)
		fail_msg("%s: at %u: %s", filter, error.position, error.text);
	sprintf(text, "%s%s ORDER BY t.id", head, f->sql.where);
	if (sqlite3_prepare_v2(f->db, text, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s: %s", filter, text, sqlite3_errmsg(f->db));
	assert_int_equal(sqlite3_bind_parameter_count(stmt), f->sql.count);
	for (unsigned i = 0; i < f->sql.count; i++) {
		const struct mue_fiql_bind *b = &f->sql.binds[i];

		if (b->is_text)
			sqlite3_bind_text(stmt, (int)i + 1, b->text, -1, SQLITE_STATIC);
		else
			sqlite3_bind_int64(stmt, (int)i + 1, b->number);
	}
	ret[0] = '\0';
	while (sqlite3_step(stmt) == SQLITE_ROW)
		used += (size_t)snprintf(ret + used, room - used, "%s%d", used ? " " : "",
					 sqlite3_column_int(stmt, 0));
	sqlite3_finalize(stmt);
	free(text);
}

static const struct {
	const char *says, *filter, *ids;
} selections[] = {
	/* clang-format off */
	{ "nothing asked selects everything",  "",                                   "1 2 3 4 5" },
	{ "equality ignores case",             "controllerId==dev-3",                "3" },
	{ "field names too",                   "CONTROLLERID==dev-3",                "3" },
	{ "a star stands for any text",        "controllerid==dev-*",                "1 2 3" },
	{ "also inside",                       "name==*on*",                         "1 2" },
	{ "an escaped star is a star",         "controllerid=='x\\*y'",              "4" },
	{ "a plain star is not",               "controllerid==x*y",                  "4 5" },
	{ "_ is no wildcard",                  "controllerid==x_y",                  "5" },
	{ "_ beside a star neither",           "controllerid==x_*",                  "5" },
	{ "% is no wildcard",                  "name==100%",                         "3" },
	{ "% beside a star neither",           "name==*%",                           "3" },
	{ "a backslash is itself",             "name=='back\\\\slash'",              "5" },
	{ "and beside a star",                 "name=='*\\\\slash'",                 "5" },
	{ "quotes hide signs and blanks",      "name=='it\\'s (odd), \"really\"; yes'", "4" },
	{ "double quotes as well",             "name==\"it's*\"",                    "4" },
	{ "unequal includes what is not set",  "description!=d",                     "1 2 3" },
	{ "empty means not set",               "description==''",                    "2 3" },
	{ "not empty means set",               "description!=''",                    "1 4 5" },
	{ "a star alone means set",            "description==*",                     "1 3 4 5" },
	{ "; is and",                          "name==s*;controllerid==dev-2",       "2" },
	{ ", is or",                           "controllerid==dev-1,controllerid==dev-2", "1 2" },
	{ "and binds before or",               "controllerid==dev-1,name==s*;description==d", "1" },
	{ "parentheses bind first",            "(controllerid==dev-1,name==s*);updatestatus==pending", "2" },
	{ "words do too",                      "controllerid==dev-1 or name==second and updatestatus==pending", "1 2" },
	{ "AND in capitals",                   "name==s* AND updatestatus==pending", "2" },
	{ "words beside parentheses",          "(name==s*)and(updatestatus==pending)", "2" },
	{ "blanks are free",                   "  name == s*  ;  updatestatus == pending ", "2" },
	{ "in",                                "updatestatus=in=(pending,error)",    "2 3" },
	{ "in with one",                       "updatestatus=in=(pending)",          "2" },
	{ "out",                               "updatestatus=out=(pending, 'error')", "1 4 5" },
	{ "less",                              "createdat=lt=20",                    "1" },
	{ "less, as a sign",                   "createdat<20",                       "1" },
	{ "at most",                           "createdat<=20",                      "1 2" },
	{ "at least",                          "createdat=ge=40",                    "4 5" },
	{ "more",                              "createdat>40",                       "5" },
	{ "the clock",                         "lastcontrollerrequestat=lt=${NOW_TS}", "1 2" },
	{ "overdue",                           "lastcontrollerrequestat=le=${OVERDUE_TS}", "1" },
	{ "a number that is not set",          "lastcontrollerrequestat==''",        "3" },
	{ "an attribute",                      "attribute.hw==rev-a",                "1" },
	{ "an attribute with a star",          "attribute.hw==rev-*",                "1 2" },
	{ "an attribute's name keeps its case", "attribute.HW==rev-a",               "4" },
	{ "no attribute that equals",          "attribute.hw!=rev-a",                "2 3 4 5" },
	{ "no attribute at all",               "attribute.hw==''",                   "3 4 5" },
	{ "some attribute",                    "attribute.hw!=''",                   "1 2" },
	{ "a tag",                             "tag==bench",                         "1" },
	{ "not that tag",                      "tag!=bench",                         "2 3 4 5" },
	{ "one of two tags",                   "tag=in=(bench,lab)",                 "1 2" },
	{ "none of two tags",                  "tag=out=(bench,lab)",                "3 4 5" },
	{ "no tag",                            "tag==''",                            "3 4 5" },
	{ "the installed set",                 "installedds.name==app;installedds.version=lt=2", "2 4" },
	{ "SQL in a value stays a value",      "name=='x\\' OR 1=1 --'",             "" },
	{ "SQL in a key stays a key",          "attribute.hw')--==x",                NULL },
	/* clang-format on */
};

static void filters_select(void **state)
{
	struct fixture *f = *state;
	char ids[64];

	for (size_t i = 0; i < COUNT(selections); i++) {
		if (!selections[i].ids)
			continue;
		select_ids(f, selections[i].filter, ids, sizeof(ids));
		if (strcmp(ids, selections[i].ids) != 0)
			fail_msg("%s (%s): got '%s'; SQL %s", selections[i].says,
				 selections[i].filter, ids, f->sql.where);
	}
}

static const struct {
	const char *filter;
	int code;
	unsigned position;
	const char *text; /* part of the sentence */
} refusals[] = {
	{ "name", MUE_EFORMAT, 4, "operator" },
	{ "name=x", MUE_EFORMAT, 4, "operator" },
	{ "name==", MUE_EFORMAT, 6, "value, found the end" },
	{ "==x", MUE_EFORMAT, 0, "field name, found '='" },
	{ "name==a;", MUE_EFORMAT, 8, "field name, found the end" },
	{ "name==a name==b", MUE_EFORMAT, 8, "expected ';'" },
	{ "(name==a", MUE_EFORMAT, 8, "expected ')'" },
	{ "name==a)", MUE_EFORMAT, 7, "found ')'" },
	{ "name=='a", MUE_EFORMAT, 8, "not closed" },
	{ "name=in=a", MUE_EFORMAT, 8, "expected '('" },
	{ "name=in=()", MUE_EFORMAT, 9, "value, found ')'" },
	{ "name=in=(a;b)", MUE_EFORMAT, 10, "',' or ')'" },
	{ "name==a;colour==red", MUE_ENOTFOUND, 8, "colour" },
	{ "attribute.==x", MUE_ENOTFOUND, 0, "attribute." },
	{ "createdat==today", MUE_EFORMAT, 0, "whole number" },
	{ "createdat==99999999999999999999", MUE_EFORMAT, 0, "whole number" },
	{ "autoconfirmactive==maybe", MUE_EFORMAT, 0, "true or false" },
	{ "attribute.hw')--==x", MUE_EFORMAT, 12, "operator" },
};

static void refusals_name_the_place(void **state)
{
	struct fixture *f = *state;
	struct mue_fiql_context context = { mue_fields_target, 0, 0 };

	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct mue_fiql_error error = { 0, "" };
		int r = mue_fiql_parse(refusals[i].filter, &f->q, &error);

		if (r == 0)
			r = mue_fiql_compile(&f->q, &context, &f->sql, &error);
		if (r != refusals[i].code || error.position != refusals[i].position ||
		    !strstr(error.text, refusals[i].text))
			fail_msg("%s: got %d at %u: %s", refusals[i].filter, r, error.position,
				 error.text);
	}
}

static void ceilings_hold(void **state)
{
	struct fixture *f = *state;
	struct mue_fiql_context context = { mue_fields_target, 0, 0 };
	struct mue_fiql_error error;
	char *text = calloc(1, 2 * MUE_FIQL_TEXT);

	assert_non_null(text);
	for (int depth = 1; depth <= MUE_FIQL_DEPTH + 1; depth++) {
		memset(text, '(', (size_t)depth);
		strcpy(text + depth, "id==x");
		memset(text + depth + 5, ')', (size_t)depth);
		text[depth * 2 + 5] = '\0';
		assert_int_equal(mue_fiql_parse(text, &f->q, &error),
				 depth <= MUE_FIQL_DEPTH ? 0 : MUE_ESIZE);
	}
	for (int n = 0; n < 127; n++)
		strcpy(text + 6 * n, "id==x,");
	strcpy(text + 6 * 127, "id==x");
	assert_int_equal(mue_fiql_parse(text, &f->q, &error), 0);
	assert_int_equal(mue_fiql_compile(&f->q, &context, &f->sql, &error), 0);
	for (int n = 0; n < 200; n++)
		strcpy(text + 6 * n, "id==x,");
	strcpy(text + 6 * 200, "id==x");
	assert_int_equal(mue_fiql_parse(text, &f->q, &error), MUE_ESIZE);
	memset(text, 'a', MUE_FIQL_TEXT + 1);
	text[MUE_FIQL_TEXT + 1] = '\0';
	assert_int_equal(mue_fiql_parse(text, &f->q, &error), MUE_ESIZE);
	strcpy(text, "id==a,id=in=(");
	for (int n = 0; n < MUE_FIQL_VALUES; n++)
		strcat(text, n ? ",a" : "a");
	strcat(text, ")");
	assert_int_equal(mue_fiql_parse(text, &f->q, &error), MUE_ESIZE);
	assert_int_equal(mue_fiql_parse(text + 6, &f->q, &error), 0);
	assert_int_equal(mue_fiql_compile(&f->q, &context, &f->sql, &error), 0);
	free(text);
}

/* Every field of every table compiles to SQL that the schema accepts. */
static void every_field_compiles(void **state)
{
	static const struct {
		const struct mue_field *fields;
		const char *from;
	} tables[] = {
		{ mue_fields_target, "target t" },
		{ mue_fields_module, "module m" },
		{ mue_fields_set, "dist_set d" },
		{ mue_fields_action, "action a" },
		{ mue_fields_rollout, "rollout r" },
		{ mue_fields_group, "rollout_group g" },
		{ mue_fields_filter, "target_filter f" },
		{ mue_fields_type, "set_type y" },
		{ mue_fields_type, "module_type y" },
		{ mue_fields_type, "target_type y" },
		{ mue_fields_tag, "tag k" },
		{ mue_fields_metadata, "set_metadata x" },
		{ mue_fields_action_status, "action_status s" },
	};
	struct fixture *f = *state;
	struct mue_fiql_error error;
	unsigned count = 0;

	for (size_t i = 0; i < COUNT(tables); i++)
		for (const struct mue_field *field = tables[i].fields; field->name; field++) {
			struct mue_fiql_context context = { tables[i].fields, 0, 0 };
			char filter[80], sql[4096], order[256] = "1";
			const char *value = field->kind == MUE_FIELD_TEXT   ? "x*"
					    : field->kind == MUE_FIELD_BOOL ? "true"
									    : "1";
			sqlite3_stmt *stmt;

			snprintf(filter, sizeof(filter), "%s%s!=%s", field->name,
				 field->name[strlen(field->name) - 1] == '.' ? "k" : "", value);
			if (mue_fiql_parse(filter, &f->q, &error) < 0 ||
			    mue_fiql_compile(&f->q, &context, &f->sql, &error) < 0)
				fail_msg("%s: %s", filter, error.text);
			if (!field->exists)
				assert_int_equal(mue_fiql_order(field->name, tables[i].fields, "1",
								order, sizeof(order), &error),
						 0);
			snprintf(sql, sizeof(sql), "SELECT 1 FROM %s WHERE %s ORDER BY %s",
				 tables[i].from, f->sql.where, order);
			if (sqlite3_prepare_v2(f->db, sql, -1, &stmt, NULL) != SQLITE_OK)
				fail_msg("%s: %s", sql, sqlite3_errmsg(f->db));
			sqlite3_finalize(stmt);
			count++;
		}
	assert_true(count > 100);
}

static void sorting(void **state)
{
	struct mue_fiql_error error;
	char out[64];

	(void)state;
	assert_int_equal(mue_fiql_order(NULL, mue_fields_target, "t.id", out, sizeof(out), &error),
			 0);
	assert_string_equal(out, "t.id");
	assert_int_equal(mue_fiql_order("name:DESC,createdAt", mue_fields_target, "t.id", out,
					sizeof(out), &error),
			 0);
	assert_string_equal(out, "t.name DESC, t.created_at ASC");
	assert_int_equal(mue_fiql_order("name:UP", mue_fields_target, "", out, sizeof(out), &error),
			 MUE_EFORMAT);
	assert_int_equal(
		mue_fiql_order("name;DROP", mue_fields_target, "", out, sizeof(out), &error),
		MUE_ENOTFOUND);
	assert_int_equal(mue_fiql_order("tag:ASC", mue_fields_target, "", out, sizeof(out), &error),
			 MUE_ENOTFOUND);
	assert_int_equal(mue_fiql_order("name,name,name,name,name,name,name,name",
					mue_fields_target, "", out, sizeof(out), &error),
			 MUE_ESIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_select), cmocka_unit_test(refusals_name_the_place),
		cmocka_unit_test(ceilings_hold),  cmocka_unit_test(every_field_compiles),
		cmocka_unit_test(sorting),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
