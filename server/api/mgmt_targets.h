/* mgmt_targets.h - handlers of /rest/v1/targets, except its actions. */
#ifndef MUE_SERVER_API_MGMT_TARGETS_H
#define MUE_SERVER_API_MGMT_TARGETS_H

#include "server/http/router.h"

mue_handler mgmt_targets_list, mgmt_targets_create, mgmt_target_get, mgmt_target_put,
	mgmt_target_delete, mgmt_target_attributes, mgmt_target_tags, mgmt_target_set_type,
	mgmt_target_unset_type, mgmt_target_confirm_get, mgmt_target_confirm_on,
	mgmt_target_confirm_off, mgmt_target_assigned, mgmt_target_installed, mgmt_target_assign;

#endif
