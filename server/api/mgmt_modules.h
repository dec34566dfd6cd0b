/* mgmt_modules.h - handlers of /rest/v1/softwaremodules and their artifacts. */
#ifndef MUE_SERVER_API_MGMT_MODULES_H
#define MUE_SERVER_API_MGMT_MODULES_H

#include "server/http/router.h"

mue_handler mgmt_modules_list, mgmt_modules_create, mgmt_module_get, mgmt_module_put,
	mgmt_module_delete, mgmt_artifacts_list, mgmt_artifact_upload, mgmt_artifact_get,
	mgmt_artifact_delete, mgmt_artifact_download;

#endif
