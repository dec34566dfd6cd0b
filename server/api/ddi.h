/*
 * ddi.h - hawkBit's Direct Device Integration API v1, one file a subject; contract:
 * hawkbit-ddi-openapi.json.  Private to server/api/ddi_*.c.
 */
#ifndef MUE_SERVER_API_DDI_H
#define MUE_SERVER_API_DDI_H

#include "server/presence.h"
#include "server/server.h"
#include "server/store/ddi.h"

enum { MUE_FEEDBACK_BODY = 1024 * 1024 }; /* SWUpdate sends its whole log */

mue_handler mue_ddi_poll;
mue_handler mue_ddi_config_data;
mue_handler mue_ddi_installed_put;

mue_handler mue_ddi_deployment;
mue_handler mue_ddi_installed;
mue_handler mue_ddi_confirmation_action;
mue_handler mue_ddi_cancel;

mue_handler mue_ddi_deployment_feedback;
mue_handler mue_ddi_cancel_feedback;

mue_handler mue_ddi_confirmation;
mue_handler mue_ddi_confirmation_feedback;
mue_handler mue_ddi_auto_confirm_on;
mue_handler mue_ddi_auto_confirm_off;

mue_handler mue_ddi_artifacts;
mue_handler mue_ddi_download;
mue_handler mue_ddi_md5sum;

/* Checks the tenant, notes that the device was seen, gives its entry.  MUE_ENOTFOUND. */
int mue_ddi_begin(struct mue_request *r, struct mue_seen *ret, struct mue_error *e);
/* "BASE/DEFAULT/controller/v1/ID"; "" when out of memory. */
const char *mue_ddi_self(struct mue_request *r);
/* Who to write into records: "device ID" is told from a person. */
const char *mue_ddi_who(const struct mue_request *r);

#endif
