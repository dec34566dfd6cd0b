/* mgmt_rollouts.h - handlers of /rest/v1/rollouts, and the job that drives them. */
#ifndef MUE_SERVER_API_MGMT_ROLLOUTS_H
#define MUE_SERVER_API_MGMT_ROLLOUTS_H

#include "server/http/router.h"

mue_handler mgmt_rollouts_list, mgmt_rollouts_create, mgmt_rollout_get, mgmt_rollout_put,
	mgmt_rollout_delete, mgmt_rollout_start, mgmt_rollout_pause, mgmt_rollout_resume,
	mgmt_rollout_stop, mgmt_rollout_approve, mgmt_rollout_deny, mgmt_rollout_trigger,
	mgmt_rollout_retry, mgmt_rollout_groups, mgmt_rollout_group, mgmt_rollout_group_targets;

/* Drives every rollout that has something to do; see struct mue_job. */
int mgmt_rollouts_run(struct mue_server *server, struct mue_error *e);
/* Assigns the sets of target filters to targets that match and never had them. */
int mgmt_filters_run(struct mue_server *server, struct mue_error *e);

#endif
