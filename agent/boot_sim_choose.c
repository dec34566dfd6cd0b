#include "agent/boot_sim.h"

#include "core/bootstate.h"
#include "host/bootname.h"
#include "host/flash_file.h"
#include "host/log.h"

/* The boot state while the loader holds it. */
struct held {
	struct mue_flash_file file;
	struct mue_bootstate s;
	uint8_t tried;
};

static int load(struct held *h, struct mue_error *e)
{
	int r = mue_bootstate_load(&h->file.flash, &h->s);

	if (r == MUE_ENODATA) {
		mue_bootstate_init(&h->s, MUE_SLOT_A);
		return 0;
	}
	return r < 0 ? mue_fail(e, r, "the boot state cannot be read") : 0;
}

static int hold(const struct mue_boot_sim *m, struct held *h, struct mue_error *e)
{
	int r = mue_flash_file_open(&h->file, m->state, e);

	h->tried = 0;
	if (r < 0)
		return r;
	r = mue_flash_file_lock(&h->file, e);
	if (r == 0)
		r = load(h, e);
	if (r < 0)
		mue_flash_file_close(&h->file);
	return r;
}

/* A boot state that cannot be written must not keep the machine from booting. */
static int store(struct held *h, struct mue_error *e)
{
	int r = mue_bootstate_store(&h->file.flash, &h->s);

	if (r == 0)
		return 0;
	mue_log(MUE_LOG_ERROR, "boot.store", "verdict", mue_err_name(r), NULL);
	h->tried |= MUE_BOOT_NO_STORE;
	return load(h, e) < 0 ? e->code : r;
}

static int refuse(struct held *h, uint8_t slot, int verdict, struct mue_error *e)
{
	mue_log(MUE_LOG_WARN, "boot.refused", "slot", mue_slot_name(slot), "verdict",
		mue_err_name(verdict), "text", e->text, NULL);
	h->tried |= (uint8_t)(1u << slot);
	if (mue_bootstate_mark_bad(&h->s, slot, verdict) && !(h->tried & MUE_BOOT_NO_STORE))
		return store(h, e);
	return 0;
}

/* One round of the loader's loop.  1: *ret runs; 0: once more. */
static int round_of(const struct mue_boot_sim *m, struct held *h, struct mue_boot_sim_boot *ret,
		    struct mue_error *e)
{
	struct mue_boot_choice c;
	int r;

	mue_bootstate_step(&h->s, 0, h->tried, &c);
	if (c.store && store(h, e) < 0)
		return 0;
	*ret = (struct mue_boot_sim_boot){
		.slot = c.slot, .reason = c.reason, .tries = h->s.tries, .image = -1
	};
	if (c.slot == MUE_SLOT_RECOVERY)
		return 1;
	r = mue_boot_sim_verify(m, c.slot, h->s.counter, &ret->image, &ret->sequence, e);
	if (r == 0)
		return 1;
	refuse(h, c.slot, r, e);
	return 0;
}

int mue_boot_sim_choose(const struct mue_boot_sim *m, struct mue_boot_sim_boot *ret,
			struct mue_error *e)
{
	struct held h;
	int r = hold(m, &h, e);

	if (r < 0)
		return r;
	while (!round_of(m, &h, ret, e))
		;
	mue_flash_file_close(&h.file);
	return 0;
}

int mue_boot_sim_refuse(const struct mue_boot_sim *m, uint8_t slot, int verdict,
			struct mue_error *e)
{
	struct held h;
	int r = hold(m, &h, e);

	if (r < 0)
		return r;
	r = refuse(&h, slot, verdict, e);
	mue_flash_file_close(&h.file);
	return r;
}
