/*
 * schema.h - the database's schema as steps, and the triggers that tell which targets changed.
 */
#ifndef MUE_SERVER_STORE_SCHEMA_H
#define MUE_SERVER_STORE_SCHEMA_H

/* The statements, ended by NULL, that lead from `version` (0: empty) to version + 1; NULL when that
 * is the newest. */
const char *const *mue_schema_step(unsigned version);

/* Step 2, in mgmt_schema.c. */
extern const char *const mue_schema_mgmt[];

/* Triggers of the writer's connection: they call mue_touch(target id). */
const char *mue_schema_triggers(void);

#endif
