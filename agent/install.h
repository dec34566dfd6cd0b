/*
 * install.h - the process that may write slots and boot state, and cannot reach a network.
 *
 * It believes nobody: the envelope is verified against the trust folder before any payload is
 * asked for, and the payload against the manifest while it streams into the inactive slot.  Only
 * when the slot is synced, read back and hashed are the envelope stored and the trial asked for.
 */
#ifndef MUE_AGENT_INSTALL_H
#define MUE_AGENT_INSTALL_H

#include "agent/action.h"
#include "agent/bootctl/bootctl.h"
#include "agent/config.h"
#include "agent/release_check.h"
#include "agent/session.h"

#define MUE_INSTALL_REBOOT 1 /* of mue_install_start and mue_install_loop: go down */

struct mue_install {
	const struct mue_config *c;
	int sock;        /* to fetch; -1 before it runs */
	uint8_t running; /* slot that we run from: 0 A, 1 B */
	char reason[32]; /* why it was booted */
	struct mue_bootctl boot;
	struct mue_trust trust;
	struct mue_device device;
	struct mue_installer place, journal;
	struct mue_action action;
	struct mue_buf envelope; /* offered and verified */
	struct mue_release_facts offered;
	struct mue_suit suit;    /* views into envelope */
	bool ready;              /* the slot holds what was offered */
	bool wanted;             /* bytes were asked for in this offer */
	bool told;               /* fetch knows the verdict of this offer already */
	uint8_t image[32];       /* digest of what the slot holds, when ready */
	struct mue_error health; /* of the health commands, code 0: passed */
	uint8_t *packet;         /* MUE_IPC_DATA bytes */
};

/* Reads what the device is; nothing is changed.  `slot`, `reason`: of the boot loader, may be NULL.
 * Verdicts with a sentence that names what is missing. */
int mue_install_init(struct mue_install *in, const struct mue_config *c, const char *slot,
		     const char *reason, struct mue_error *e);
void mue_install_free(struct mue_install *in);

/* trial.c: before the network is there: runs the health commands when a trial waits for them. */
void mue_trial_check(struct mue_install *in);

/* trial.c: tells fetch who we are, decides a trial (confirm or revert), reports what became of the
 * last action.  0, MUE_INSTALL_REBOOT, or a verdict. */
int mue_trial_settle(struct mue_install *in, struct mue_error *e);

/* Serves fetch until it ends (0), a reboot is due (MUE_INSTALL_REBOOT), or a verdict. */
int mue_install_loop(struct mue_install *in, struct mue_error *e);

/* Has fetch store a report durably.  A verdict: it could not. */
int mue_install_report(struct mue_install *in, enum mue_report_kind kind, int code,
		       const char *text, struct mue_error *e);

/* "a", "b". */
const char *mue_install_slot_name(uint8_t slot);

#endif
