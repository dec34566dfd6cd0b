/*
 * The delta decoder on an ATmega128 in simavr.  All three images lie in program memory: what is
 * written is compared with new on the spot.  Prints one line on the serial port.
 */
#include "core/delta.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>
#include <stdio.h>

#include "data.h"

enum { BLOCKS = 36, PAGE = 256, WINDOW = 256, CYCLES_PER_TICK = 1024 };

static struct mue_delta decoder;
static struct mue_delta_block blocks[BLOCKS];
static uint8_t page[PAGE], window[WINDOW];
static uint16_t wrong;
static uint32_t ticks;

static int read_old(void *ctx, uint32_t off, void *buf, uint16_t len)
{
	(void)ctx;
	memcpy_P(buf, old_image + (uint16_t)off, len);
	return MUE_OK;
}

static int read_new(void *ctx, uint32_t off, void *buf, uint16_t len)
{
	(void)ctx;
	memcpy_P(buf, new_image + (uint16_t)off, len);
	return MUE_OK;
}

static int write_new(void *ctx, uint32_t off, const void *buf, uint16_t len)
{
	const uint8_t *b = buf;

	(void)ctx;
	if (off + len > sizeof(new_image))
		wrong++;
	for (uint16_t i = 0; i < len && off + len <= sizeof(new_image); i++)
		wrong += b[i] != pgm_read_byte(new_image + (uint16_t)off + i);
	return MUE_OK;
}

static const struct mue_delta_isa *const isas[] = { &mue_delta_avr, NULL };
static const struct mue_delta_io io = { read_old, write_new, read_new };

static void count(void)
{
	ticks += TCNT1;
	TCNT1 = 0;
}

/* Feeds the patch through a window, as it would come from a radio. */
static int decode(void)
{
	uint16_t at = 0, have = 0;
	size_t used;
	int r;

	do {
		while (have < WINDOW && at < sizeof(patch))
			window[have++] = pgm_read_byte(patch + at++);
		if (decoder.page_size) {
			r = mue_delta_step(&decoder, window, have, at == sizeof(patch), &used);
		} else {
			struct mue_delta_header h;
			struct mue_delta_room room = { .io = &io,
						       .isas = isas,
						       .blocks = blocks,
						       .blocks_max = BLOCKS,
						       .page = page,
						       .page_size = PAGE };

			r = mue_delta_header_read(window, have, &h);
			used = h.size;
			if (r == MUE_OK)
				r = mue_delta_open(&decoder, &h, &room);
			if (r == MUE_OK)
				r = MUE_DELTA_MORE;
		}
		have = (uint16_t)(have - used);
		for (uint16_t i = 0; i < have; i++)
			window[i] = window[i + used];
		count();
	} while (r > 0);
	return r;
}

static int put(char c, FILE *f)
{
	(void)f;
	while (!(UCSR0A & _BV(UDRE0)))
		;
	UDR0 = (uint8_t)c;
	return 0;
}

int main(void)
{
	static FILE out = FDEV_SETUP_STREAM(put, NULL, _FDEV_SETUP_WRITE);
	int r;

	UCSR0B = _BV(TXEN0);
	stdout = &out;
	TCCR1B = _BV(CS12) | _BV(CS10);
	r = decode();
	printf("verdict %d wrong %u bytes %lu kilocycles %lu\n", r, wrong,
	       (unsigned long)sizeof(new_image), ticks * CYCLES_PER_TICK / 1000);
	cli();
	sleep_enable();
	sleep_cpu();
	return 0;
}
