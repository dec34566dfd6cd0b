/*
 * action.h - what install is in the middle of, kept over kills and reboots: STATE/action.
 *
 * One line of JSON, replaced as a whole and durable (host/file.h).
 */
#ifndef MUE_AGENT_ACTION_H
#define MUE_AGENT_ACTION_H

#include "agent/ipc.h"

enum mue_action_phase {
	MUE_ACTION_NONE = 0,
	MUE_ACTION_WRITING,  /* the slot is being written, or holds the image */
	MUE_ACTION_TRIAL,    /* a trial boot was asked for, or is about to be */
	MUE_ACTION_REVERTED, /* the trial failed its checks; the old slot must boot */
};

struct mue_action {
	enum mue_action_phase phase;
	char id[MUE_IPC_ACTION];
	uint8_t slot;
	uint8_t digest[32]; /* of the manifest */
	uint32_t reboots;   /* asked for since the phase began */
	int verdict;        /* of REVERTED */
	char text[MUE_IPC_TEXT];
};

/* MUE_ACTION_NONE when there is none, or when the file is damaged (which is logged). */
int mue_action_load(const char *state, struct mue_action *ret, struct mue_error *e);
/* Durable when it returns 0. */
int mue_action_store(const char *state, const struct mue_action *a, struct mue_error *e);
int mue_action_clear(const char *state, struct mue_error *e);

#endif
