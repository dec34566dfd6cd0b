/* mgmt_config.h - the tenant's settings: /rest/v1/system/configs, and what the API asks of them. */
#ifndef MUE_SERVER_API_MGMT_CONFIG_H
#define MUE_SERVER_API_MGMT_CONFIG_H

#include "server/api/mgmt.h"

/* The value of a setting that is true or false. */
int mgmt_config_bool(struct mgmt_op *op, const char *key, bool *ret, struct mue_error *e);

mue_handler mgmt_configs_get, mgmt_configs_put, mgmt_config_get, mgmt_config_put,
	mgmt_config_delete, mgmt_userinfo;

#endif
