/*
 * The management API's table of routes and its background jobs.  Paths and parameter names are
 * those of hawkBit's Management API v1; rollouts/{id}/stop is ours.
 */
#include "server/api/mgmt_actions.h"
#include "server/api/mgmt_config.h"
#include "server/api/mgmt_modules.h"
#include "server/api/mgmt_rollouts.h"
#include "server/api/mgmt_sets.h"
#include "server/api/mgmt_tags.h"
#include "server/api/mgmt_targets.h"
#include "server/api/mgmt_types.h"
#include "server/api/upload.h"
#include "server/server.h"

enum {
	BODY_LIST = 8 * 1024 * 1024, /* bodies that may list a whole fleet */
	ROLLOUTS_MS = 1000,
	FILTERS_MS = 10000,
};

/* clang-format off */
const struct mue_route mue_routes_mgmt[] = {
	/* targets */
	{ "GET", "/rest/v1/targets", mgmt_targets_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/targets", mgmt_targets_create, MUE_ACCESS_OPERATOR, BODY_LIST, NULL },
	{ "GET", "/rest/v1/targets/{targetId}", mgmt_target_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/targets/{targetId}", mgmt_target_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/targets/{targetId}", mgmt_target_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targets/{targetId}/attributes", mgmt_target_attributes, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targets/{targetId}/tags", mgmt_target_tags, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/targets/{targetId}/targettype", mgmt_target_set_type, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/targets/{targetId}/targettype", mgmt_target_unset_type, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targets/{targetId}/autoConfirm", mgmt_target_confirm_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/targets/{targetId}/autoConfirm/activate", mgmt_target_confirm_on, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/targets/{targetId}/autoConfirm/deactivate", mgmt_target_confirm_off, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targets/{targetId}/assignedDS", mgmt_target_assigned, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/targets/{targetId}/assignedDS", mgmt_target_assign, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targets/{targetId}/installedDS", mgmt_target_installed, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targets/{targetId}/metadata", mgmt_target_metadata_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/targets/{targetId}/metadata", mgmt_target_metadata_create, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targets/{targetId}/metadata/{metadataKey}", mgmt_target_metadata_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/targets/{targetId}/metadata/{metadataKey}", mgmt_target_metadata_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/targets/{targetId}/metadata/{metadataKey}", mgmt_target_metadata_delete, MUE_ACCESS_OPERATOR, 0, NULL },

	/* actions */
	{ "GET", "/rest/v1/actions", mgmt_actions_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/actions/{actionId}", mgmt_action_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targets/{targetId}/actions", mgmt_target_actions, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targets/{targetId}/actions/{actionId}", mgmt_target_action_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/targets/{targetId}/actions/{actionId}", mgmt_target_action_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/targets/{targetId}/actions/{actionId}", mgmt_target_action_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/targets/{targetId}/actions/{actionId}/confirmation", mgmt_target_action_confirm, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targets/{targetId}/actions/{actionId}/status", mgmt_target_action_status, MUE_ACCESS_OPERATOR, 0, NULL },

	/* software modules and artifacts */
	{ "GET", "/rest/v1/softwaremodules", mgmt_modules_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/softwaremodules", mgmt_modules_create, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/softwaremodules/{softwareModuleId}", mgmt_module_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/softwaremodules/{softwareModuleId}", mgmt_module_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/softwaremodules/{softwareModuleId}", mgmt_module_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/softwaremodules/{softwareModuleId}/metadata", mgmt_module_metadata_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/softwaremodules/{softwareModuleId}/metadata", mgmt_module_metadata_create, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/softwaremodules/{softwareModuleId}/metadata/{metadataKey}", mgmt_module_metadata_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/softwaremodules/{softwareModuleId}/metadata/{metadataKey}", mgmt_module_metadata_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/softwaremodules/{softwareModuleId}/metadata/{metadataKey}", mgmt_module_metadata_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/softwaremodules/{softwareModuleId}/artifacts", mgmt_artifacts_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/softwaremodules/{softwareModuleId}/artifacts", mgmt_artifact_upload, MUE_ACCESS_OPERATOR, 0, &mue_upload_stream },
	{ "GET", "/rest/v1/softwaremodules/{softwareModuleId}/artifacts/{artifactId}", mgmt_artifact_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/softwaremodules/{softwareModuleId}/artifacts/{artifactId}", mgmt_artifact_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/softwaremodules/{softwareModuleId}/artifacts/{artifactId}/download", mgmt_artifact_download, MUE_ACCESS_OPERATOR, 0, NULL },

	/* distribution sets */
	{ "GET", "/rest/v1/distributionsets", mgmt_sets_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/distributionsets", mgmt_sets_create, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsets/{distributionSetId}", mgmt_set_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/distributionsets/{distributionSetId}", mgmt_set_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/distributionsets/{distributionSetId}", mgmt_set_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsets/{distributionSetId}/metadata", mgmt_set_metadata_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/distributionsets/{distributionSetId}/metadata", mgmt_set_metadata_create, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsets/{distributionSetId}/metadata/{metadataKey}", mgmt_set_metadata_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/distributionsets/{distributionSetId}/metadata/{metadataKey}", mgmt_set_metadata_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/distributionsets/{distributionSetId}/metadata/{metadataKey}", mgmt_set_metadata_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/distributionsets/{distributionSetId}/invalidate", mgmt_set_invalidate, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsets/{distributionSetId}/assignedSM", mgmt_set_modules, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/distributionsets/{distributionSetId}/assignedSM", mgmt_set_modules_add, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/distributionsets/{distributionSetId}/assignedSM/{softwareModuleId}", mgmt_set_module_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsets/{distributionSetId}/assignedTargets", mgmt_set_assigned, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/distributionsets/{distributionSetId}/assignedTargets", mgmt_set_assign, MUE_ACCESS_OPERATOR, BODY_LIST, NULL },
	{ "GET", "/rest/v1/distributionsets/{distributionSetId}/installedTargets", mgmt_set_installed, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsets/{distributionSetId}/autoAssignTargetFilters", mgmt_set_filters, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsets/{distributionSetId}/statistics", mgmt_set_statistics, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsets/{distributionSetId}/statistics/rollouts", mgmt_set_statistics_rollouts, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsets/{distributionSetId}/statistics/actions", mgmt_set_statistics_actions, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsets/{distributionSetId}/statistics/autoassignments", mgmt_set_statistics_filters, MUE_ACCESS_OPERATOR, 0, NULL },

	/* types */
	{ "GET", "/rest/v1/softwaremoduletypes", mgmt_module_types_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/softwaremoduletypes", mgmt_module_types_create, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/softwaremoduletypes/{softwareModuleTypeId}", mgmt_module_type_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/softwaremoduletypes/{softwareModuleTypeId}", mgmt_module_type_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/softwaremoduletypes/{softwareModuleTypeId}", mgmt_module_type_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsettypes", mgmt_set_types_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/distributionsettypes", mgmt_set_types_create, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsettypes/{distributionSetTypeId}", mgmt_set_type_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/distributionsettypes/{distributionSetTypeId}", mgmt_set_type_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/distributionsettypes/{distributionSetTypeId}", mgmt_set_type_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targettypes", mgmt_target_types_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/targettypes", mgmt_target_types_create, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targettypes/{targetTypeId}", mgmt_target_type_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/targettypes/{targetTypeId}", mgmt_target_type_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/targettypes/{targetTypeId}", mgmt_target_type_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsettypes/{distributionSetTypeId}/mandatorymoduletypes", mgmt_set_type_mandatory, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/distributionsettypes/{distributionSetTypeId}/mandatorymoduletypes", mgmt_set_type_mandatory_add, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsettypes/{distributionSetTypeId}/mandatorymoduletypes/{softwareModuleTypeId}", mgmt_set_type_mandatory_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/distributionsettypes/{distributionSetTypeId}/mandatorymoduletypes/{softwareModuleTypeId}", mgmt_set_type_mandatory_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsettypes/{distributionSetTypeId}/optionalmoduletypes", mgmt_set_type_optional, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/distributionsettypes/{distributionSetTypeId}/optionalmoduletypes", mgmt_set_type_optional_add, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsettypes/{distributionSetTypeId}/optionalmoduletypes/{softwareModuleTypeId}", mgmt_set_type_optional_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/distributionsettypes/{distributionSetTypeId}/optionalmoduletypes/{softwareModuleTypeId}", mgmt_set_type_optional_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targettypes/{targetTypeId}/compatibledistributionsettypes", mgmt_target_type_sets, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/targettypes/{targetTypeId}/compatibledistributionsettypes", mgmt_target_type_sets_add, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/targettypes/{targetTypeId}/compatibledistributionsettypes/{distributionSetTypeId}", mgmt_target_type_sets_delete, MUE_ACCESS_OPERATOR, 0, NULL },

	/* tags */
	{ "GET", "/rest/v1/targettags", mgmt_target_tags_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/targettags", mgmt_target_tags_create, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targettags/{targetTagId}", mgmt_target_tag_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/targettags/{targetTagId}", mgmt_target_tag_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/targettags/{targetTagId}", mgmt_target_tag_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targettags/{targetTagId}/assigned", mgmt_target_tag_assigned, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/targettags/{targetTagId}/assigned", mgmt_target_tag_assign, MUE_ACCESS_OPERATOR, BODY_LIST, NULL },
	{ "POST", "/rest/v1/targettags/{targetTagId}/assigned", mgmt_target_tag_assign, MUE_ACCESS_OPERATOR, BODY_LIST, NULL },
	{ "DELETE", "/rest/v1/targettags/{targetTagId}/assigned", mgmt_target_tag_unassign, MUE_ACCESS_OPERATOR, BODY_LIST, NULL },
	{ "POST", "/rest/v1/targettags/{targetTagId}/assigned/{controllerId}", mgmt_target_tag_assign_one, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/targettags/{targetTagId}/assigned/{controllerId}", mgmt_target_tag_unassign_one, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsettags", mgmt_set_tags_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/distributionsettags", mgmt_set_tags_create, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsettags/{distributionsetTagId}", mgmt_set_tag_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/distributionsettags/{distributionsetTagId}", mgmt_set_tag_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/distributionsettags/{distributionsetTagId}", mgmt_set_tag_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/distributionsettags/{distributionsetTagId}/assigned", mgmt_set_tag_assigned, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/distributionsettags/{distributionsetTagId}/assigned", mgmt_set_tag_assign, MUE_ACCESS_OPERATOR, BODY_LIST, NULL },
	{ "POST", "/rest/v1/distributionsettags/{distributionsetTagId}/assigned", mgmt_set_tag_assign, MUE_ACCESS_OPERATOR, BODY_LIST, NULL },
	{ "DELETE", "/rest/v1/distributionsettags/{distributionsetTagId}/assigned", mgmt_set_tag_unassign, MUE_ACCESS_OPERATOR, BODY_LIST, NULL },
	{ "POST", "/rest/v1/distributionsettags/{distributionsetTagId}/assigned/{distributionsetId}", mgmt_set_tag_assign_one, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/distributionsettags/{distributionsetTagId}/assigned/{distributionsetId}", mgmt_set_tag_unassign_one, MUE_ACCESS_OPERATOR, 0, NULL },

	/* target filters and auto-assignment */
	{ "GET", "/rest/v1/targetfilters", mgmt_filters_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/targetfilters", mgmt_filters_create, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targetfilters/{filterId}", mgmt_filter_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/targetfilters/{filterId}", mgmt_filter_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/targetfilters/{filterId}", mgmt_filter_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/targetfilters/{filterId}/autoAssignDS", mgmt_filter_set, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/targetfilters/{filterId}/autoAssignDS", mgmt_filter_set_post, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/targetfilters/{filterId}/autoAssignDS", mgmt_filter_set_delete, MUE_ACCESS_OPERATOR, 0, NULL },

	/* rollouts */
	{ "GET", "/rest/v1/rollouts", mgmt_rollouts_list, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/rollouts", mgmt_rollouts_create, MUE_ACCESS_OPERATOR, BODY_LIST, NULL },
	{ "GET", "/rest/v1/rollouts/{rolloutId}", mgmt_rollout_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/rollouts/{rolloutId}", mgmt_rollout_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/rollouts/{rolloutId}", mgmt_rollout_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/rollouts/{rolloutId}/start", mgmt_rollout_start, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/rollouts/{rolloutId}/pause", mgmt_rollout_pause, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/rollouts/{rolloutId}/resume", mgmt_rollout_resume, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/rollouts/{rolloutId}/stop", mgmt_rollout_stop, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/rollouts/{rolloutId}/approve", mgmt_rollout_approve, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/rollouts/{rolloutId}/deny", mgmt_rollout_deny, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/rollouts/{rolloutId}/triggerNextGroup", mgmt_rollout_trigger, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "POST", "/rest/v1/rollouts/{rolloutId}/retry", mgmt_rollout_retry, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/rollouts/{rolloutId}/deploygroups", mgmt_rollout_groups, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/rollouts/{rolloutId}/deploygroups/{groupId}", mgmt_rollout_group, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/rollouts/{rolloutId}/deploygroups/{groupId}/targets", mgmt_rollout_group_targets, MUE_ACCESS_OPERATOR, 0, NULL },

	/* the tenant */
	{ "GET", "/rest/v1/system/configs", mgmt_configs_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/system/configs", mgmt_configs_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/system/configs/{keyName}", mgmt_config_get, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "PUT", "/rest/v1/system/configs/{keyName}", mgmt_config_put, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "DELETE", "/rest/v1/system/configs/{keyName}", mgmt_config_delete, MUE_ACCESS_OPERATOR, 0, NULL },
	{ "GET", "/rest/v1/userinfo", mgmt_userinfo, MUE_ACCESS_OPERATOR, 0, NULL },

	{ 0 },
};
/* clang-format on */

const struct mue_job mue_jobs_mgmt[] = {
	{ "rollouts", ROLLOUTS_MS, mgmt_rollouts_run },
	{ "auto-assign", FILTERS_MS, mgmt_filters_run },
	{ 0 },
};
