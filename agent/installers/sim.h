/*
 * sim.h - the installer member `memory`: a medium in RAM whose power can be cut.
 *
 * Every write and every sync is one operation.  At operation `cut_at` (counted from 1 over all
 * media of one struct mue_sim_power) the power goes: the operation is done not at all, in part, or
 * wholly, sectors of earlier unsynced writes are kept or lost at random, and from then on every
 * call fails with MUE_EIO until mue_sim_power_on.
 */
#ifndef MUE_AGENT_INSTALLER_SIM_H
#define MUE_AGENT_INSTALLER_SIM_H

#include "agent/installers/installer.h"

#define MUE_SIM_SECTOR 512

struct mue_sim_power {
	uint64_t operations; /* done so far */
	uint64_t cut_at;     /* 0: never */
	uint64_t seed;       /* of what is kept */
	bool off;
};

/* One medium: `now` is what the program sees, `safe` what survives. */
struct mue_sim_medium {
	struct mue_sim_power *power;
	uint64_t size;
	uint8_t *now, *safe; /* the caller's, `size` bytes each */
	bool *dirty;         /* the caller's, one per sector of size / MUE_SIM_SECTOR */
	bool rot;            /* reads give one flipped bit: a medium that does not keep data */
};

extern const struct mue_installer_ops mue_installer_sim;

/* Makes `i` the member over `m` (kept). */
void mue_installer_sim_init(struct mue_installer *i, struct mue_sim_medium *m);

/* After a cut: unsynced sectors are decided (once per cut), `now` becomes what survived. */
void mue_sim_power_on(struct mue_sim_power *p, struct mue_sim_medium *const *media, size_t count);

#endif
