/* Messages, packets and serial framing: known bytes, round trips, and what must be refused. */
#include "core/crc.h"
#include "core/err.h"
#include "core/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t seed = 1;

static uint8_t chance(void)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint8_t)(seed >> 24);
}

struct row {
	const char *says;
	struct mue_frame f;
	uint8_t len;
	uint8_t bytes[16];
};

static const uint8_t some[] = { 0xaa, 0x55, 0, 1 };

static const struct row rows[] = {
	{ "an announcement fills the smallest packet",
	  { .type = MUE_FRAME_ANNOUNCE,
	    .session = 0x1234,
	    .envelope = 0x0708,
	    .size = 0xe701,
	    .class_tag = 0xbeef,
	    .slot = 1,
	    .codec = 0 },
	  11,
	  { 0xe0, 0x12, 0x34, 7, 8, 0, 0xe7, 1, 0xbe, 0xef, 1 } },
	{ "a piece of the envelope",
	  { .type = MUE_FRAME_MANIFEST, .session = 0x1234, .off = 0x40, .data = some, .len = 4 },
	  10,
	  { 0xe1, 0x12, 0x34, 0, 0, 0x40, 0xaa, 0x55, 0, 1 } },
	{ "a piece of the payload",
	  { .type = MUE_FRAME_PIECE, .session = 0x1234, .off = 0x10040, .data = some, .len = 4 },
	  10,
	  { 0xe2, 0x12, 0x34, 1, 0, 0x40, 0xaa, 0x55, 0, 1 } },
	{ "a question", { .type = MUE_FRAME_ASK, .session = 0xffff }, 3, { 0xe3, 0xff, 0xff } },
	{ "what is missing of the payload",
	  { .type = MUE_FRAME_WANT,
	    .session = 1,
	    .off = 256,
	    .data = some,
	    .len = 4,
	    .grain_log2 = 8 },
	  11,
	  { 0xe4, 0, 1, 0, 1, 0, 8, 0xaa, 0x55, 0, 1 } },
	{ "nothing is missing of the envelope",
	  { .type = MUE_FRAME_WANT, .session = 1, .off = 1800, .grain_log2 = 2, .envelope_bit = 1 },
	  7,
	  { 0xe4, 0, 1, 0, 7, 8, 0x82 } },
	{ "a report of a refusal",
	  { .type = MUE_FRAME_REPORT,
	    .session = 0x0102,
	    .phase = MUE_PHASE_REFUSED,
	    .verdict = MUE_EOLD,
	    .reason = 1,
	    .running = 0,
	    .sequence = 70000 },
	  11,
	  { 0xe5, 1, 2, 7, 0xf4, 1, 0, 0, 1, 0x11, 0x70 } },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void same(const struct mue_frame *a, const struct mue_frame *b, const char *says)
{
	struct mue_frame x = *a, y = *b;

	x.data = y.data = NULL;
	if (memcmp(&x, &y, sizeof(x)) || (a->len && memcmp(a->data, b->data, a->len)))
		fail_msg("%s: read back otherwise", says);
}

static void messages_have_their_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		uint8_t buf[MUE_PACKET_MAX];
		struct mue_frame back;

		if (mue_frame_write(&r->f, buf, sizeof(buf)) != r->len ||
		    memcmp(buf, r->bytes, r->len))
			fail_msg("%s: other bytes", r->says);
		assert_int_equal(mue_frame_write(&r->f, buf, (uint8_t)(r->len - 1)), MUE_ENOSPC);
		memset(&back, 0, sizeof(back));
		assert_int_equal(mue_frame_read(r->bytes, r->len, &back), MUE_OK);
		same(&r->f, &back, r->says);
	}
}

/* Any bytes that read as a message are exactly what the message is written as. */
static void reading_is_strict(void **state)
{
	uint32_t taken = 0;

	(void)state;
	for (uint32_t n = 0; n < 200000; n++) {
		uint8_t buf[MUE_PACKET_MAX], again[MUE_PACKET_MAX];
		uint8_t len = (uint8_t)(chance() % 24);
		struct mue_frame f;

		for (uint8_t i = 0; i < len; i++)
			buf[i] = chance();
		buf[0] = (uint8_t)(0xe0 + chance() % 8);
		if (mue_frame_read(buf, len, &f) < 0)
			continue;
		taken++;
		assert_int_equal(mue_frame_write(&f, again, sizeof(again)), len);
		assert_memory_equal(again, buf, len);
	}
	assert_true(taken > 10000);
}

struct refusal {
	const char *says;
	uint8_t len, bytes[12];
	int verdict;
};

static const struct refusal refusals[] = {
	{ "nothing", 0, { 0 }, MUE_ETRUNC },
	{ "an unknown type", 3, { 0xe6, 0, 0 }, MUE_EPROFILE },
	{ "a piece without data", 6, { 0xe2, 0, 0, 0, 0, 0 }, MUE_ETRUNC },
	{ "a question with a tail", 4, { 0xe3, 0, 0, 0 }, MUE_EFORMAT },
	{ "an announcement with a tail", 12, { 0xe0 }, MUE_EFORMAT },
	{ "a bitmap of single bytes", 8, { 0xe4, 0, 0, 0, 0, 0, 1, 0 }, MUE_EFORMAT },
	{ "a bitmap of unknown form", 8, { 0xe4, 0, 0, 0, 0, 0, 0x48, 0 }, MUE_EFORMAT },
	{ "a report of an unknown phase", 11, { 0xe5, 0, 0, 8 }, MUE_EFORMAT },
	{ "half a report", 7, { 0xe5, 0, 0, 1 }, MUE_ETRUNC },
};

static void refuses_what_is_no_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct mue_frame f;
		int e = mue_frame_read(refusals[i].bytes, refusals[i].len, &f);

		if (e != refusals[i].verdict)
			fail_msg("%s: %d", refusals[i].says, e);
	}
}

static void packets_split(void **state)
{
	static const uint8_t bare[] = { 0xe3, 0, 1 }, both[] = { 2, 7, 8, 0xe3, 0, 1 };
	static const uint8_t service[] = { 2, 7, 8 }, torn[] = { 3, 7, 8 }, none[] = { 0, 0xe3 };
	struct mue_packet p;

	(void)state;
	assert_int_equal(mue_packet_split(bare, 3, &p), MUE_OK);
	assert_true(p.service == NULL && p.message == bare && p.message_len == 3);
	assert_int_equal(mue_packet_split(both, 6, &p), MUE_OK);
	assert_true(p.service == both + 1 && p.service_len == 2 && p.message == both + 3 &&
		    p.message_len == 3);
	assert_int_equal(mue_packet_split(service, 3, &p), MUE_OK);
	assert_true(p.message == NULL && p.service_len == 2);
	assert_int_equal(mue_packet_split(torn, 3, &p), MUE_EFORMAT);
	assert_int_equal(mue_packet_split(none, 2, &p), MUE_EFORMAT);
	assert_int_equal(mue_packet_split(none, 0, &p), MUE_EFORMAT);
	assert_int_equal(mue_packet_room(11, 0), 11);
	assert_int_equal(mue_packet_room(51, 12), 38);
	assert_int_equal(mue_packet_room(12, 12), 0);
	assert_int_equal(mue_packet_room(12, 11), 0);
	assert_int_equal(mue_packet_room(255, 0), MUE_PACKET_MAX);
}

static int feed(struct mue_serial *s, const uint8_t *line, int len)
{
	int last = 0;

	for (int i = 0; i < len; i++)
		last = mue_serial_take(s, line[i]);
	return last;
}

static void serial_carries_every_packet(void **state)
{
	uint8_t packet[MUE_PACKET_MAX], line[MUE_SERIAL_MAX + 1];
	struct mue_serial s;

	(void)state;
	mue_serial_init(&s);
	for (uint32_t n = 0; n < 5000; n++) {
		uint8_t len = (uint8_t)(1 + n % MUE_PACKET_MAX);
		int out;

		for (uint8_t i = 0; i < len; i++)
			packet[i] = n % 3 ? chance() : n % 2 ? 0 : (uint8_t)(chance() & 1);
		out = mue_serial_write(packet, len, line);
		assert_int_equal(out, len + 6);
		assert_null(memchr(line, 0, (size_t)out - 1));
		assert_int_equal(feed(&s, line, out), len);
		assert_memory_equal(s.buf, packet, len);
	}
	assert_int_equal(mue_serial_write(packet, 0, line), MUE_EINVAL);
	assert_int_equal(mue_serial_write(packet, MUE_PACKET_MAX + 1, line), MUE_EINVAL);
}

/* Every flipped bit of a frame loses that frame and never the one after it. */
static void serial_notices_every_flip(void **state)
{
	static const uint8_t packet[] = { 0xe2, 0, 1, 0, 0, 0, 9, 8, 7, 0, 0, 1 };
	uint8_t line[MUE_SERIAL_MAX], bent[MUE_SERIAL_MAX], next[MUE_SERIAL_MAX];
	int len = mue_serial_write(packet, sizeof(packet), line), n;
	static const uint8_t ask[] = { 0xe3, 0, 1 };

	(void)state;
	n = mue_serial_write(ask, sizeof(ask), next);
	for (int bit = 0; bit < 8 * (len - 1); bit++) {
		struct mue_serial s;

		mue_serial_init(&s);
		memcpy(bent, line, (size_t)len);
		bent[bit / 8] ^= (uint8_t)(1 << bit % 8);
		for (int i = 0; i < len; i++)
			assert_true(mue_serial_take(&s, bent[i]) <= 0);
		assert_int_equal(feed(&s, next, n), 3);
	}
}

static void serial_survives_noise(void **state)
{
	static const uint8_t ask[] = { 0xe3, 0, 1 };
	uint8_t next[MUE_SERIAL_MAX];
	struct mue_serial s;
	int n;

	(void)state;
	n = mue_serial_write(ask, sizeof(ask), next);
	mue_serial_init(&s);
	for (uint32_t i = 0; i < 300000; i++)
		assert_true(mue_serial_take(&s, chance()) <= MUE_PACKET_MAX);
	for (uint32_t i = 0; i < 1000; i++)
		mue_serial_take(&s, 0xff); /* longer than any frame */
	mue_serial_take(&s, 0);
	assert_int_equal(mue_serial_take(&s, 0), 0);
	assert_int_equal(feed(&s, next, n), 3);
	assert_memory_equal(s.buf, ask, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_have_their_bytes),
		cmocka_unit_test(reading_is_strict),
		cmocka_unit_test(refuses_what_is_no_message),
		cmocka_unit_test(packets_split),
		cmocka_unit_test(serial_carries_every_packet),
		cmocka_unit_test(serial_notices_every_flip),
		cmocka_unit_test(serial_survives_noise),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
