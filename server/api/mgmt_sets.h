/* mgmt_sets.h - handlers of /rest/v1/distributionsets and /rest/v1/targetfilters. */
#ifndef MUE_SERVER_API_MGMT_SETS_H
#define MUE_SERVER_API_MGMT_SETS_H

#include "server/http/router.h"

mue_handler mgmt_sets_list, mgmt_sets_create, mgmt_set_get, mgmt_set_put, mgmt_set_delete,
	mgmt_set_invalidate, mgmt_set_modules, mgmt_set_modules_add, mgmt_set_module_delete,
	mgmt_set_assigned, mgmt_set_assign, mgmt_set_installed, mgmt_set_filters,
	mgmt_set_statistics, mgmt_set_statistics_rollouts, mgmt_set_statistics_actions,
	mgmt_set_statistics_filters;

mue_handler mgmt_filters_list, mgmt_filters_create, mgmt_filter_get, mgmt_filter_put,
	mgmt_filter_delete, mgmt_filter_set, mgmt_filter_set_post, mgmt_filter_set_delete;

#endif
