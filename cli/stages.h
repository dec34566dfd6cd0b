/*
 * stages.h - "bench,1,30%,100%": the stages of a rollout, and the rollout groups they become.
 *
 * A word is a tag: all targets that carry it.  A number is that many devices of those left.  N% is
 * that share of those left.  The last stage is 100%: everybody who is left.
 */
#ifndef MUE_CLI_STAGES_H
#define MUE_CLI_STAGES_H

#include "host/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { MUE_STAGES_MAX = 32 };

enum mue_stage_kind { MUE_STAGE_TAG, MUE_STAGE_COUNT, MUE_STAGE_PERCENT };

struct mue_stage {
	enum mue_stage_kind kind;
	char text[65];  /* as it was given; the tag */
	uint32_t value; /* count 1.., or percentage 1..100 */
};

struct mue_stages {
	struct mue_stage v[MUE_STAGES_MAX];
	size_t n;
};

/* MUE_EINVAL with a sentence that quotes the stage and says what is wrong. */
int mue_stages_parse(const char *text, struct mue_stages *ret, struct mue_error *e);

struct mue_gates {
	uint32_t success;   /* per cent of a group that must have confirmed before the next opens */
	uint32_t error;     /* the rollout halts when more than this per cent of a group failed */
	const char *action; /* "PAUSE" or "STOP" */
};

/* The member "groups" of POST /rest/v1/rollouts; the caller releases it.  NULL: out of memory. */
json_t *mue_stages_groups(const struct mue_stages *s, const struct mue_gates *g);

/* successCondition, successAction, errorCondition, errorAction into `o`. */
void mue_gates_set(json_t *o, const struct mue_gates *g);

#endif
