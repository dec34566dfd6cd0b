/* Splitting a rollout's targets into its groups. */
#include "server/store/rollout.h"

#include "server/api/upload.h"
#include "server/fleet/fields.h"
#include "server/store/mgmt_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOREIGN_MAX = 64 };

struct plan {
	struct mue_db *db;
	int64_t rollout_id, set_id, set_type;
	/* Vendor and class, as devices report them, that the set is not made for. */
	char *foreign[FOREIGN_MAX];
	unsigned foreign_count;
	struct mue_filter *all, *group; /* of the rollout, of the group at hand */
	char *sql;
	size_t room;
};

struct group {
	int64_t id;
	double percentage;
	uint32_t max_targets;
	char *filter;
};

/* Of the type that the set fits, and in no group of this rollout yet. */
static const char condition[] =
	" FROM target t WHERE (t.type_id IS NULL OR NOT EXISTS (SELECT 1 FROM target_type_set_type "
	"x"
	" WHERE x.target_type_id = t.type_id) OR EXISTS (SELECT 1 FROM target_type_set_type x"
	" WHERE x.target_type_id = t.type_id AND x.set_type_id = ?)) AND NOT EXISTS"
	" (SELECT 1 FROM rollout_target z JOIN rollout_group w ON w.id = z.group_id"
	" WHERE z.target_id = t.id AND w.rollout_id = ?)";

/* What a device says of itself, as one text. */
#define KIND(key) \
	"(SELECT x.value FROM target_attribute x WHERE x.target_id = t.id AND x.key = '" key "')"
static const char kind_of[] = "COALESCE(" KIND("mue.vendor") ", '') || char(31) || COALESCE(" KIND(
	"mue.class") ", '')";

/* " AND kind NOT IN (?, ?...)" */
static void foreign_condition(const struct plan *p, char *text, size_t room)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < p->foreign_count && used < room; i++)
		used += (size_t)snprintf(text + used, room - used, "%s%s%s", i ? ", ?" : " AND ",
					 i ? "" : kind_of, i ? "" : " NOT IN (?");
	if (p->foreign_count && used + 1 < room)
		strcpy(text + used, ")");
}

/* Starts `head` + condition + filters + `tail`; `first` is the index of the condition's first
 * value.  Returns the index after the last value bound, or a verdict. */
static int start(struct plan *p, struct mue_rows *rows, const char *head, const char *tail,
		 int first, struct mue_error *e)
{
	char foreign[1024];
	int r;

	foreign_condition(p, foreign, sizeof(foreign));
	snprintf(p->sql, p->room, "%s%s%s AND %s AND %s%s", head, condition, foreign,
		 p->all->sql.where, p->group ? p->group->sql.where : "TRUE", tail);
	r = mue_db_query_once(p->db, rows, e, p->sql);
	if (r < 0)
		return r;
	mue_rows_bind_int(rows, first, p->set_type);
	mue_rows_bind_int(rows, first + 1, p->rollout_id);
	first += 2;
	for (unsigned i = 0; i < p->foreign_count; i++)
		mue_rows_bind_text(rows, first++, p->foreign[i]);
	first = mue_filter_bind(p->all, rows, first);
	return p->group ? mue_filter_bind(p->group, rows, first) : first;
}

static int count_remaining(struct plan *p, uint32_t *ret, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r = start(p, &rows, "SELECT count(*)", "", 1, e);

	if (r > 0)
		r = mue_rows_next(&rows, e);
	if (r > 0)
		*ret = (uint32_t)mue_rows_int(&rows, 0);
	mue_rows_end(&rows);
	return r < 0 ? r : 0;
}

static int take(struct plan *p, int64_t group_id, uint32_t count, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r = start(p, &rows, "INSERT INTO rollout_target (group_id, target_id) SELECT ?, t.id",
		      " ORDER BY t.id LIMIT ?", 2, e);

	if (r > 0) {
		mue_rows_bind_int(&rows, 1, group_id);
		mue_rows_bind_int(&rows, r, count);
		r = mue_rows_next(&rows, e);
	}
	mue_rows_end(&rows);
	return r;
}

static int fill_group(struct plan *p, const struct group *g, int64_t overdue_ms,
		      struct mue_error *e)
{
	uint32_t remaining = 0, count;
	int r = mue_filter_new(g->filter, mue_fields_target, mue_now_ms(), overdue_ms, &p->group,
			       e);

	if (r < 0)
		return r;
	r = count_remaining(p, &remaining, e);
	count = mue_plan_take(g->percentage, g->max_targets, remaining);
	if (r == 0)
		r = take(p, g->id, count, e);
	mue_filter_free(p->group);
	p->group = NULL;
	if (r < 0)
		return r;
	return mue_db_exec(p->db, e,
			   "UPDATE rollout_group SET total = ?, status = 'ready' WHERE id = ?",
			   "ii", (int64_t)count, g->id);
}

/* The group at `position`.  MUE_ENOTFOUND: there is none. */
static int load_group(struct plan *p, int position, struct group *ret, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	int r = mue_db_query(p->db, &rows, e,
			     "SELECT id, CAST(percentage AS TEXT), COALESCE(max_targets, 0),"
			     " COALESCE(filter, '') FROM rollout_group WHERE rollout_id = ?"
			     " AND position = ?",
			     "ii", p->rollout_id, (int64_t)position);

	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r == 0)
		r = MUE_ENOTFOUND;
	if (r > 0) {
		ret->id = mue_rows_int(&rows, 0);
		ret->percentage = strtod(mue_rows_text(&rows, 1), NULL);
		ret->max_targets = (uint32_t)mue_rows_int(&rows, 2);
		ret->filter = strdup(mue_rows_text(&rows, 3));
		r = ret->filter ? 0 : mue_fail(e, MUE_ENOMEM, "out of memory");
	}
	mue_rows_end(&rows);
	return r;
}

/* Asks once for each kind of device, not once for each device. */
static int find_foreign(struct plan *p, struct mue_error *e)
{
	struct mue_rows rows = { 0 };
	char sql[1024];
	int r;

	snprintf(sql, sizeof(sql), "SELECT min(t.id), %s FROM target t GROUP BY 2", kind_of);
	r = mue_db_query(p->db, &rows, e, sql, NULL);
	while (r == 0 && p->foreign_count < FOREIGN_MAX) {
		struct mue_error why;
		int fits;

		r = mue_rows_next(&rows, e);
		if (r <= 0)
			break;
		r = 0;
		fits = mue_assign_check(p->db, mue_rows_int(&rows, 0), p->set_id, &why);
		if (fits != MUE_EVENDOR && fits != MUE_ECLASS)
			continue;
		p->foreign[p->foreign_count] = strdup(mue_rows_text(&rows, 1));
		if (!p->foreign[p->foreign_count])
			r = mue_fail(e, MUE_ENOMEM, "out of memory");
		else
			p->foreign_count++;
	}
	mue_rows_end(&rows);
	return r;
}

static int fill_all(struct plan *p, int64_t overdue_ms, struct mue_error *e)
{
	uint32_t all = 0, left = 0;
	int r = count_remaining(p, &all, e);

	if (r == 0 && all == 0)
		return mue_fail(e, MUE_EINVAL, "no target matches the rollout's filter%s",
				p->foreign_count ? " and the set's vendor and class" : "");
	for (int position = 0; r == 0; position++) {
		struct group g = { 0 };

		r = load_group(p, position, &g, e);
		if (r == MUE_ENOTFOUND)
			break;
		if (r == 0)
			r = fill_group(p, &g, overdue_ms, e);
		free(g.filter);
	}
	if (r < 0 && r != MUE_ENOTFOUND)
		return r;
	r = count_remaining(p, &left, e);
	if (r == 0 && left > 0)
		return mue_fail(e, MUE_EINVAL,
				"%" PRIu32 " of %" PRIu32 " targets are in no group: the last group"
				" must take 100 percent of the rest",
				left, all);
	return r < 0 ? r
		     : mue_db_exec(p->db, e, "UPDATE rollout SET total = ? WHERE id = ?", "ii",
				   (int64_t)all, p->rollout_id);
}

int mue_rollout_plan(struct mue_db *db, int64_t rollout_id, int64_t overdue_ms, struct mue_error *e)
{
	struct plan p = { .db = db, .rollout_id = rollout_id };
	struct mue_rows rows = { 0 };
	int r = mue_db_query(db, &rows, e,
			     "SELECT r.filter, d.type_id, d.id FROM rollout r JOIN dist_set d"
			     " ON d.id = r.set_id WHERE r.id = ?",
			     "i", rollout_id);

	if (r == 0)
		r = mue_rows_next(&rows, e);
	if (r == 0)
		r = mue_fail(e, MUE_ENOTFOUND, "no rollout %" PRId64, rollout_id);
	if (r > 0) {
		p.set_type = mue_rows_int(&rows, 1);
		p.set_id = mue_rows_int(&rows, 2);
		r = mue_filter_new(mue_rows_text(&rows, 0), mue_fields_target, mue_now_ms(),
				   overdue_ms, &p.all, e);
	}
	mue_rows_end(&rows);
	if (r < 0)
		return r;
	p.room = 2 * MUE_FIQL_SQL + 2048;
	p.sql = malloc(p.room);
	r = p.sql ? find_foreign(&p, e) : mue_fail(e, MUE_ENOMEM, "out of memory");
	if (r == 0)
		r = fill_all(&p, overdue_ms, e);
	for (unsigned i = 0; i < p.foreign_count; i++)
		free(p.foreign[i]);
	free(p.sql);
	mue_filter_free(p.all);
	return r;
}
