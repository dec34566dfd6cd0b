/* mgmt_tags.h - handlers of target tags, distribution set tags, and the metadata of the three
 * entities that have some. */
#ifndef MUE_SERVER_API_MGMT_TAGS_H
#define MUE_SERVER_API_MGMT_TAGS_H

#include "server/http/router.h"

mue_handler mgmt_target_tags_list, mgmt_target_tags_create, mgmt_target_tag_get,
	mgmt_target_tag_put, mgmt_target_tag_delete, mgmt_target_tag_assigned,
	mgmt_target_tag_assign, mgmt_target_tag_unassign, mgmt_target_tag_assign_one,
	mgmt_target_tag_unassign_one;
mue_handler mgmt_set_tags_list, mgmt_set_tags_create, mgmt_set_tag_get, mgmt_set_tag_put,
	mgmt_set_tag_delete, mgmt_set_tag_assigned, mgmt_set_tag_assign, mgmt_set_tag_unassign,
	mgmt_set_tag_assign_one, mgmt_set_tag_unassign_one;

mue_handler mgmt_target_metadata_list, mgmt_target_metadata_create, mgmt_target_metadata_get,
	mgmt_target_metadata_put, mgmt_target_metadata_delete;
mue_handler mgmt_module_metadata_list, mgmt_module_metadata_create, mgmt_module_metadata_get,
	mgmt_module_metadata_put, mgmt_module_metadata_delete;
mue_handler mgmt_set_metadata_list, mgmt_set_metadata_create, mgmt_set_metadata_get,
	mgmt_set_metadata_put, mgmt_set_metadata_delete;

#endif
