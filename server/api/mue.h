/*
 * mue.h - private to server/api/mue_*.c: our own API below /api/v1.
 */
#ifndef MUE_SERVER_API_MUE_H
#define MUE_SERVER_API_MUE_H

#include "server/server.h"

/* GET /api/v1/targets/{id}/why[?set=ID]: an ordered list of conditions, from "it is known" to "it
 * reports the new version"; the first that does not hold is the answer. */
mue_handler mue_api_why;

#endif
