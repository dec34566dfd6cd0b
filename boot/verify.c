#include "boot/boot.h"

#include "core/err.h"
#include "core/mem.h"
#include "core/sha256.h"

#define FOOTER_ROOM (BOARD_SLOT_SIZE - BOARD_FOOTER - MUE_BOOT_FOOTER_HEAD)

void mue_boot_hash(struct mue_sha256 *s, uint8_t slot, board_off_t off, board_off_t size)
{
	uint8_t piece[MUE_SHA256_BLOCK];

	while (size) {
		uint8_t n = sizeof(piece);

		if (size < n)
			n = (uint8_t)size;

		mue_board_read(slot, off, piece, n);
		mue_sha256_update(s, piece, n);
		mue_board_kick();
		off = (board_off_t)(off + n);
		size = (board_off_t)(size - n);
	}
}

int8_t mue_boot_verify(uint8_t slot, uint32_t floor, struct mue_boot_p0 *ret)
{
	uint8_t head[MUE_BOOT_FOOTER_HEAD], digest[32];
	struct mue_boot_identity id;
	struct mue_sha256 s;
	struct mue_boot_range where;
	int8_t e;

	ret->proof[0] = ret->proof[1] = ret->proof[2] = 0xff;
	mue_board_read(slot, BOARD_FOOTER, head, sizeof(head));
	where.slot = slot;
	where.off = (board_off_t)(BOARD_FOOTER + MUE_BOOT_FOOTER_HEAD);
	where.len = (uint16_t)(head[0] | (uint16_t)head[1] << 8);
	if (where.len > FOOTER_ROOM)
		return MUE_ENODATA;
	mue_board_identity(&id);
	e = mue_boot_p0_open(&id, &where, ret);
	if (e < 0)
		return e;
	if (BOARD_SLOT_ADDRESSED && ret->slot != slot)
		return MUE_EADDRESS;
	if (ret->counter < floor)
		return MUE_ECOUNTER;
	if (ret->size > BOARD_FOOTER)
		return MUE_ESIZE;
	mue_sha256_init(&s);
	mue_boot_hash(&s, slot, 0, (board_off_t)ret->size);
	mue_sha256_final(&s, digest);
	ret->proof[1] = mue_boot_differ(digest, ret->image, sizeof(digest)) ^ MUE_BOOT_PROOF_IMAGE;
	ret->proof[2] = mue_board_token(slot);
	return memcmp(digest, ret->image, sizeof(digest)) ? MUE_EDIGEST : MUE_OK;
}
