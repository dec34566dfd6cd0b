/*
 * health.h - does the new image work?  Commands decide.
 *
 * Every executable file of a folder is run in the order of its name, without arguments, with a
 * time limit; exit 0 is a pass.  A folder that is not there, or empty, passes.
 */
#ifndef MUE_AGENT_HEALTH_H
#define MUE_AGENT_HEALTH_H

#include "host/err.h"

#include <stdint.h>

/* Runs all; stops at the first that fails.  MUE_EHEALTH with the command's name, its exit status
 * and the last line it wrote; a command that overruns its limit is killed with its children. */
int mue_health_run(const char *folder, uint32_t timeout_s, struct mue_error *e);

#endif
