/* mgmt_types.h - handlers of the three kinds of types: software module, distribution set, target.
 */
#ifndef MUE_SERVER_API_MGMT_TYPES_H
#define MUE_SERVER_API_MGMT_TYPES_H

#include "server/api/mgmt.h"

mue_handler mgmt_module_types_list, mgmt_module_types_create, mgmt_module_type_get,
	mgmt_module_type_put, mgmt_module_type_delete;
mue_handler mgmt_set_types_list, mgmt_set_types_create, mgmt_set_type_get, mgmt_set_type_put,
	mgmt_set_type_delete, mgmt_set_type_mandatory, mgmt_set_type_mandatory_add,
	mgmt_set_type_mandatory_get, mgmt_set_type_mandatory_delete, mgmt_set_type_optional,
	mgmt_set_type_optional_add, mgmt_set_type_optional_get, mgmt_set_type_optional_delete;
mue_handler mgmt_target_types_list, mgmt_target_types_create, mgmt_target_type_get,
	mgmt_target_type_put, mgmt_target_type_delete, mgmt_target_type_sets,
	mgmt_target_type_sets_add, mgmt_target_type_sets_delete;

/* What the three kinds have in common: inserting a row, and the handlers of PUT and DELETE by the
 * path's {param}. */
int mgmt_create_type(struct mgmt_op *op, const struct mgmt_entity *entity, const json_t *json,
		     bool key_required, int64_t *ret, struct mue_error *e);
int mgmt_put_type(struct mue_request *r, const struct mgmt_entity *entity, const char *param,
		  struct mue_error *e);
int mgmt_delete_type(struct mue_request *r, const struct mgmt_entity *entity, const char *param,
		     struct mue_error *e);

#endif
