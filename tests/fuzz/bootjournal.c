/*
 * The boot journal over arbitrary flash: load never believes what no store wrote into range, and a
 * store on top of anything is found again by the next load.
 * FUZZ_SOURCES: core/bootjournal.c core/bootstate.c core/crc.c sim/flash_sim.c
 */
#include "core/bootstate.h"
#include "core/err.h"
#include "sim/flash_sim.h"

#include <stdlib.h>
#include <string.h>

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint16_t units[] = { 1, 4, 32, 64 };
	uint8_t memory[512];
	struct mue_flash_sim sim;
	struct mue_bootstate s, back;
	struct mue_boot_choice c;
	int e;

	if (len < 1)
		return 0;
	memset(memory, data[0] & 4 ? 0x00 : 0xff, sizeof(memory));
	memcpy(memory, data + 1, len - 1 < sizeof(memory) ? len - 1 : sizeof(memory));
	mue_flash_sim_init(&sim, memory, 2, 256, units[data[0] & 3], data[0] & 4 ? 0x00 : 0xff);
	for (int round = 0; round < 12; round++) {
		e = mue_bootstate_load(&sim.flash, &s);
		check(e == MUE_OK || e == MUE_ENODATA);
		if (e == MUE_ENODATA)
			mue_bootstate_init(&s, MUE_SLOT_A);
		check(s.active <= 1 && (s.trial <= 1 || s.trial == MUE_SLOT_NONE));
		mue_bootstate_step(&s, 0, 0, &c);
		check(c.slot <= MUE_SLOT_RECOVERY);
		e = mue_bootstate_store(&sim.flash, &s);
		if (e == MUE_EEXHAUSTED)
			return 0;
		check(e == MUE_OK && mue_bootstate_load(&sim.flash, &back) == MUE_OK &&
		      !memcmp(&s, &back, sizeof(s)));
	}
	return 0;
}
