#include "boot/boot.h"

#include "core/err.h"

struct loader {
	const struct mue_flash *flash;
	struct mue_boot_medium medium;
	struct mue_bootstate s;
	uint8_t tried;
};

static void load(struct loader *l)
{
	if (mue_bootstate_load(l->flash, &l->s) < 0)
		mue_bootstate_init(&l->s, MUE_SLOT_A);
}

/* A journal that cannot be written must not keep the device from booting. */
static bool store(struct loader *l)
{
	if (l->tried & MUE_BOOT_NO_STORE)
		return true;
	if (mue_bootstate_store(l->flash, &l->s) == MUE_OK)
		return true;
	l->tried |= MUE_BOOT_NO_STORE;
	load(l);
	return false;
}

void mue_boot(void)
{
	struct mue_boot_choice c;
	struct mue_boot_p0 p;
	struct loader l;
	int8_t e;

	l.flash = mue_board_state(&l.medium);
	l.tried = 0;
	load(&l);
	for (;;) {
		mue_bootstate_step(&l.s, BOARD_POLICY, l.tried, &c);
		if (c.store && !store(&l))
			continue;
		if (c.slot == MUE_SLOT_RECOVERY) {
			mue_boot_recover();
			l.tried = 0;
			load(&l);
			continue;
		}
		e = mue_boot_verify(c.slot, l.s.counter, &p);
		if (e == MUE_OK)
			mue_board_start(c.slot, p.proof);
		l.tried = (uint8_t)(l.tried | 1u << c.slot);
		if (mue_bootstate_mark_bad(&l.s, c.slot, e))
			store(&l);
	}
}
