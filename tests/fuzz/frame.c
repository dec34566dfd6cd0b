/*
 * Link frames: noise on a serial line, packets and messages; what reads as a message must be
 * written as the very same bytes.
 * FUZZ_SOURCES: core/frame.c core/crc.c
 */
#include "core/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void message(const uint8_t *m, uint8_t len)
{
	uint8_t again[MUE_PACKET_MAX];
	struct mue_frame f;

	if (mue_frame_read(m, len, &f) < 0)
		return;
	if (mue_frame_write(&f, again, sizeof(again)) != len || memcmp(again, m, len) != 0)
		abort();
}

static void packet(const uint8_t *buf, uint8_t len)
{
	struct mue_packet p;

	if (mue_packet_split(buf, len, &p) < 0)
		return;
	if (p.service_len + p.message_len + (p.service ? 1 : 0) != len)
		abort();
	if (p.message)
		message(p.message, p.message_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t line[MUE_SERIAL_MAX];
	struct mue_serial s;
	int got = 0, n;

	mue_serial_init(&s);
	for (size_t i = 0; i < size; i++) {
		got = mue_serial_take(&s, data[i]);
		if (got > 0)
			packet(s.buf, (uint8_t)got);
	}
	if (!size || size > MUE_PACKET_MAX)
		return 0;
	packet(data, (uint8_t)size);
	n = mue_serial_write(data, (uint8_t)size, line);
	mue_serial_init(&s);
	for (int i = 0; i < n; i++)
		got = mue_serial_take(&s, line[i]);
	if (got != (int)size || memcmp(s.buf, data, size) != 0)
		abort();
	return 0;
}
