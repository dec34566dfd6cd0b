/* /rest/v1/distributionsettypes. */
#include "server/api/mgmt.h"
#include "server/api/mgmt_types.h"

#include <inttypes.h>

#define MODULE_TYPE "softwareModuleTypeId"
#define SET_TYPE    "distributionSetTypeId"

int mgmt_set_types_list(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_page(r, &mgmt_set_type, e);
}

int mgmt_set_type_get(struct mue_request *r, struct mue_error *e)
{
	return mgmt_get_one(r, &mgmt_set_type, SET_TYPE, e);
}

static int link_module_type(struct mgmt_op *op, int64_t set_type, int64_t module_type,
			    bool mandatory, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_module_type, module_type, e);

	return r < 0 ? r
		     : mue_db_exec(op->db, e,
				   "INSERT OR REPLACE INTO set_type_module (set_type_id,"
				   " module_type_id, mandatory) VALUES (?, ?, ?)",
				   "iii", set_type, module_type, (int64_t)mandatory);
}

static int link_all(struct mgmt_op *op, const json_t *json, const char *name, int64_t set_type,
		    bool mandatory, struct mue_error *e)
{
	const json_t *list = json_object_get(json, name), *item;
	int64_t id = 0;

	for (size_t i = 0; list; i++) {
		int r = mgmt_item(list, i, &item, e);

		if (r < 0 || !item)
			return r;
		r = mgmt_int(item, "id", 1, INT64_MAX, true, &id, e);
		if (r == 0)
			r = link_module_type(op, set_type, id, mandatory, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int create_set_type(struct mgmt_op *op, const json_t *json, int64_t *ret,
			   struct mue_error *e)
{
	int r = mgmt_create_type(op, &mgmt_set_type, json, true, ret, e);

	if (r == 0)
		r = link_all(op, json, "optionalmodules", *ret, false, e);
	return r == 0 ? link_all(op, json, "mandatorymodules", *ret, true, e) : r;
}

static int do_set_types_create(struct mgmt_op *op, struct mue_error *e)
{
	return mgmt_create_each(op, &mgmt_set_type, create_set_type, e);
}

int mgmt_set_types_create(struct mue_request *r, struct mue_error *e)
{
	struct mgmt_op op;
	int v = mgmt_begin(&op, r, true, NULL, e);

	return v ? mgmt_over(v) : mgmt_write(&op, do_set_types_create, 201, e);
}

int mgmt_set_type_put(struct mue_request *r, struct mue_error *e)
{
	return mgmt_put_type(r, &mgmt_set_type, SET_TYPE, e);
}

int mgmt_set_type_delete(struct mue_request *r, struct mue_error *e)
{
	return mgmt_delete_type(r, &mgmt_set_type, SET_TYPE, e);
}

/* op->text is "1" for mandatory, "0" for optional. */
static int do_members(struct mgmt_op *op, struct mue_error *e)
{
	int r = mgmt_exists(op, &mgmt_set_type, op->id, e);

	return r < 0 ? r
		     : mgmt_array(op, &mgmt_module_type,
				  "y.id IN (SELECT z.module_type_id FROM set_type_module z"
				  " WHERE z.set_type_id = ? AND z.mandatory = CAST(? AS INTEGER))",
				  e, "it", op->id, op->text);
}

static int do_member_add(struct mgmt_op *op, struct mue_error *e)
{
	int64_t id = 0;
	int r = mgmt_exists(op, &mgmt_set_type, op->id, e);

	if (r == 0)
		r = mgmt_int(op->in, "id", 1, INT64_MAX, true, &id, e);
	return r < 0 ? r : link_module_type(op, op->id, id, *op->text == '1', e);
}

static int check_member(struct mgmt_op *op, struct mue_error *e)
{
	int64_t n;
	int r = mue_db_int(op->db, &n, e,
			   "SELECT 1 FROM set_type_module WHERE set_type_id = ?"
			   " AND module_type_id = ? AND mandatory = CAST(? AS INTEGER)",
			   "iit", op->id, op->id2, op->text);

	if (r == MUE_ENOTFOUND)
		return mue_fail(e, r,
				"software module type %" PRId64
				" does not exist in distribution set type %" PRId64,
				op->id2, op->id);
	return r;
}

static int do_member_get(struct mgmt_op *op, struct mue_error *e)
{
	int r = check_member(op, e);

	return r < 0 ? r : mgmt_load(op, &mgmt_module_type, op->id2, true, &op->out, e);
}

static int do_member_delete(struct mgmt_op *op, struct mue_error *e)
{
	int r = check_member(op, e);

	return r < 0 ? r
		     : mue_db_exec(op->db, e,
				   "DELETE FROM set_type_module WHERE set_type_id = ?"
				   " AND module_type_id = ?",
				   "ii", op->id, op->id2);
}

static int member(struct mue_request *r, mgmt_fn *fn, const char *mandatory, bool one,
		  struct mue_error *e)
{
	struct mgmt_op op;
	bool body = fn == do_member_add;
	int v = mgmt_begin(&op, r, body, SET_TYPE, e);

	op.text = mandatory;
	if (v == 0 && one)
		v = mue_request_id(r, MODULE_TYPE, &op.id2, e);
	if (v)
		return mgmt_over(v);
	return fn == do_members || fn == do_member_get ? mgmt_read(&op, fn, 200, e)
						       : mgmt_write(&op, fn, 200, e);
}

int mgmt_set_type_mandatory(struct mue_request *r, struct mue_error *e)
{
	return member(r, do_members, "1", false, e);
}

int mgmt_set_type_mandatory_add(struct mue_request *r, struct mue_error *e)
{
	return member(r, do_member_add, "1", false, e);
}

int mgmt_set_type_mandatory_get(struct mue_request *r, struct mue_error *e)
{
	return member(r, do_member_get, "1", true, e);
}

int mgmt_set_type_mandatory_delete(struct mue_request *r, struct mue_error *e)
{
	return member(r, do_member_delete, "1", true, e);
}

int mgmt_set_type_optional(struct mue_request *r, struct mue_error *e)
{
	return member(r, do_members, "0", false, e);
}

int mgmt_set_type_optional_add(struct mue_request *r, struct mue_error *e)
{
	return member(r, do_member_add, "0", false, e);
}

int mgmt_set_type_optional_get(struct mue_request *r, struct mue_error *e)
{
	return member(r, do_member_get, "0", true, e);
}

int mgmt_set_type_optional_delete(struct mue_request *r, struct mue_error *e)
{
	return member(r, do_member_delete, "0", true, e);
}
