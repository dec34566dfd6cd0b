/*
 * The recovery link.  It only runs when nothing boots, and writes pages of the slots without asking
 * what is in them: whatever comes in has to pass mue_boot_verify like any other image, so there is
 * no back door to guard.  docs/FORMATS.md, section "Recovery link".
 */
#include "boot/boot.h"

#include "core/crc.h"
#include "core/err.h"

enum { HEAD = 3, CRC = 4 }; /* command, slot, page; CRC-32 of what stands before it */

static void receive(uint8_t *to, uint16_t len)
{
	while (len--)
		*to++ = mue_board_receive();
}

static int8_t write(const uint8_t *frame)
{
	uint8_t slot = frame[1], page = frame[2];

	if (slot > MUE_SLOT_B || page >= BOARD_SLOT_SIZE / BOARD_PAGE ||
	    (BOARD_POLICY & MUE_BOOT_GOLDEN && slot == MUE_SLOT_A))
		return MUE_EPERM;
	mue_board_write_page(slot, (board_off_t)(page * (board_off_t)BOARD_PAGE), frame + HEAD);
	return MUE_OK;
}

void mue_boot_recover(void)
{
	uint8_t frame[HEAD + BOARD_PAGE + CRC];
	uint16_t len;
	int8_t e;

	for (;;) {
		mue_board_send('R');
		while (mue_board_receive() != 'M')
			;
		receive(frame, HEAD);
		len = frame[0] == 'W' ? HEAD + BOARD_PAGE : HEAD;
		receive(frame + HEAD, (uint16_t)(len - HEAD + CRC));
		/* The CRC over a frame and its own CRC (little endian) is this residue. */
		e = MUE_EFORMAT;
		if (mue_crc32(0, frame, (size_t)(len + CRC)) == 0x2144df1c)
			e = frame[0] == 'W' ? write(frame) : MUE_OK;
		mue_board_send((uint8_t)e);
		if (e == MUE_OK && frame[0] == 'B')
			return;
	}
}
