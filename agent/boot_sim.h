/*
 * boot_sim.h - the parts of mue-boot-sim, the simulated machine's loader.
 *
 * boot_sim.c options and the life of the machine; boot_sim_choose.c which slot, by the boot state
 * and the loader's own verification; boot_sim_run.c unpacking, starting and ending what runs.
 * What is unpacked is a private copy of exactly the bytes that were verified, so that nobody can
 * exchange the image between the check and its use.
 */
#ifndef MUE_AGENT_BOOT_SIM_H
#define MUE_AGENT_BOOT_SIM_H

#include "host/err.h"
#include "host/trust.h"

#include <stdbool.h>
#include <stdint.h>

/* Exit codes of an agent that asks for a start without a boot, and for a reboot. */
#define MUE_BOOT_SIM_RESTART 70
#define MUE_BOOT_SIM_REBOOT  75

struct mue_boot_sim {
	const char *state;
	const char *slot[2];
	const char *envelopes;
	const char *trust_folder;
	const char *root;
	bool once;
	char **agent; /* argv, NULL at its end */
	struct mue_trust trust;
};

/* One boot that was decided on. */
struct mue_boot_sim_boot {
	uint8_t slot;      /* enum mue_slot */
	uint8_t reason;    /* enum mue_boot_reason */
	uint8_t tries;     /* left to the trial */
	uint64_t sequence; /* of the image's manifest */
	int image;         /* the verified copy, -1 for the recovery link; the caller closes it */
};

/* Decides, stores, verifies, falls back; logs every refusal.  Fails only when the boot state cannot
 * even be read. */
int mue_boot_sim_choose(const struct mue_boot_sim *m, struct mue_boot_sim_boot *ret,
			struct mue_error *e);

/* The chosen image verified but cannot be unpacked: it is marked bad. */
int mue_boot_sim_refuse(const struct mue_boot_sim *m, uint8_t slot, int verdict,
			struct mue_error *e);

/* Copies exactly the image of `slot` whose envelope and digest hold and whose counter is at least
 * `floor` to a private file; *ret_image is the caller's. */
int mue_boot_sim_verify(const struct mue_boot_sim *m, uint8_t slot, uint32_t floor, int *ret_image,
			uint64_t *ret_sequence, struct mue_error *e);

/* Unpacks the squashfs in descriptor `image` into ROOT/system, which is emptied before. */
int mue_boot_sim_unpack(const struct mue_boot_sim *m, int image, struct mue_error *e);

enum mue_boot_sim_end { MUE_BOOT_SIM_REBOOTS, MUE_BOOT_SIM_CRASHED, MUE_BOOT_SIM_ENDED };

/* Starts /init and the agent, and waits.  REBOOTS: the agent asks for it; CRASHED: init failed;
 * ENDED: the agent left with *ret_code, or SIGTERM came.  Nothing that was started is left.
 * An agent that is killed is started again at once, one that leaves with MUE_BOOT_SIM_RESTART after
 * a pause that doubles from 20 ms to 5 s; not with `once`, whose exit code is the agent's.
 * SIGTERM, SIGINT and SIGCHLD must be blocked. */
enum mue_boot_sim_end mue_boot_sim_run(const struct mue_boot_sim *m,
				       const struct mue_boot_sim_boot *b, int *ret_code);

#endif
