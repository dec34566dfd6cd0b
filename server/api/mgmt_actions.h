/* mgmt_actions.h - handlers of actions, under /rest/v1/actions and under a target. */
#ifndef MUE_SERVER_API_MGMT_ACTIONS_H
#define MUE_SERVER_API_MGMT_ACTIONS_H

#include "server/http/router.h"

mue_handler mgmt_actions_list, mgmt_action_get, mgmt_target_actions, mgmt_target_action_get,
	mgmt_target_action_put, mgmt_target_action_delete, mgmt_target_action_confirm,
	mgmt_target_action_status;

#endif
