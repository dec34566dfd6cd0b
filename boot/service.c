#include "boot/boot.h"

#include "core/err.h"

/* Only a slot that begin_write has opened: inactive, unknown, and on no trial. */
static bool may_write(const struct mue_bootstate *s, const struct mue_boot_call *c)
{
	return c->slot <= MUE_SLOT_B && c->off < BOARD_SLOT_SIZE && !(c->off & (BOARD_PAGE - 1)) &&
	       c->slot != s->active && s->trial == MUE_SLOT_NONE &&
	       s->image[c->slot] == MUE_IMAGE_UNKNOWN &&
	       !(BOARD_POLICY & MUE_BOOT_GOLDEN && c->slot == MUE_SLOT_A);
}

int8_t mue_boot_service(uint8_t service, struct mue_boot_call *call)
{
	struct mue_boot_medium medium;
	const struct mue_flash *f = mue_board_state(&medium);
	struct mue_bootstate s;

	if (mue_bootstate_load(f, &s) < 0)
		mue_bootstate_init(&s, MUE_SLOT_A);
	if (service == MUE_SERVICE_STATE) {
		call->state = s;
		return MUE_OK;
	}
	if (service == MUE_SERVICE_STORE) {
		if (call->state.counter < s.counter)
			return MUE_EPERM;
		return (int8_t)mue_bootstate_store(f, &call->state);
	}
	if (service != MUE_SERVICE_WRITE || !may_write(&s, call))
		return MUE_EPERM;
	mue_board_write_page(call->slot, call->off, call->page);
	return MUE_OK;
}
