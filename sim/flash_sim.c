#include "sim/flash_sim.h"

#include "core/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct mue_flash_sim *sim_of(const struct mue_flash *f)
{
	return f->ctx;
}

/* Reads and writes outside the memory abort whatever `count_breaches` says. */
static void bound(bool kept, const char *what, uint32_t off)
{
	if (kept)
		return;
	fprintf(stderr, "flash_sim: %s at offset %u\n", what, off);
	abort();
}

static void rule(struct mue_flash_sim *s, bool kept, const char *what, uint32_t off)
{
	if (!kept && s->count_breaches)
		s->breaches++;
	else
		bound(kept, what, off);
}

static uint32_t random_next(struct mue_flash_sim *s)
{
	s->seed = s->seed * 1664525u + 1013904223u;
	return s->seed >> 8;
}

/* Programming moves bits away from the erased value only. */
static uint8_t programmed(const struct mue_flash_sim *s, uint8_t old, uint8_t value)
{
	return s->flash.erased == 0xff ? old & value : old | value;
}

static void do_write(struct mue_flash_sim *s, uint32_t off, const uint8_t *from, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		s->memory[off + i] = s->overwrite ? from[i]
						  : programmed(s, s->memory[off + i], from[i]);
}

/* Some bits arrived, others did not. */
static uint8_t garbled(struct mue_flash_sim *s, uint8_t old, uint8_t value)
{
	uint8_t mask = (uint8_t)random_next(s);

	return (uint8_t)((old & ~mask) | (value & mask));
}

static void tear_write(struct mue_flash_sim *s, uint32_t off, const uint8_t *from, uint32_t len)
{
	uint32_t i, half = len / 2;

	if (s->tear == MUE_TEAR_BEFORE)
		return;
	if (s->tear == MUE_TEAR_AFTER)
		half = len;
	do_write(s, off, from, half);
	if (s->tear != MUE_TEAR_GARBLED)
		return;
	for (i = half; i < len; i++)
		if (i == half || random_next(s) & 1) {
			uint8_t whole = s->overwrite ? from[i]
						     : programmed(s, s->memory[off + i], from[i]);

			s->memory[off + i] = garbled(s, s->memory[off + i], whole);
		}
}

static void tear_erase(struct mue_flash_sim *s, uint32_t off)
{
	uint32_t i, n = s->flash.erase_size, half = n / 2;

	if (s->tear == MUE_TEAR_BEFORE)
		return;
	if (s->tear == MUE_TEAR_AFTER)
		half = n;
	memset(s->memory + off, s->flash.erased, half);
	if (s->tear != MUE_TEAR_GARBLED)
		return;
	for (i = half; i < n; i++)
		if (random_next(s) & 1)
			s->memory[off + i] = garbled(s, s->memory[off + i], s->flash.erased);
}

static bool counts_to_cut(struct mue_flash_sim *s)
{
	return ++s->ops == s->cut_at;
}

static int sim_read(const struct mue_flash *f, uint32_t off, void *buf, uint32_t len)
{
	bound(off <= f->size && len <= f->size - off, "read outside", off);
	memcpy(buf, sim_of(f)->memory + off, len);
	return MUE_OK;
}

static int sim_write(const struct mue_flash *f, uint32_t off, const void *buf, uint32_t len)
{
	struct mue_flash_sim *s = sim_of(f);
	uint32_t i;

	bound(len > 0 && off <= f->size && len <= f->size - off, "write outside", off);
	rule(s, off % f->write_size == 0 && len % f->write_size == 0, "write of half a unit", off);
	for (i = 0; i < len && !s->overwrite; i++)
		rule(s, s->memory[off + i] == f->erased, "write to a byte not erased", off + i);
	s->writes++;
	if (counts_to_cut(s)) {
		tear_write(s, off, buf, len);
		longjmp(s->on_cut, 1);
	}
	do_write(s, off, buf, len);
	return MUE_OK;
}

static int sim_erase(const struct mue_flash *f, uint32_t off)
{
	struct mue_flash_sim *s = sim_of(f);

	bound(off < f->size && off % f->erase_size == 0, "erase off a block", off);
	s->erases++;
	if (counts_to_cut(s)) {
		tear_erase(s, off);
		longjmp(s->on_cut, 1);
	}
	memset(s->memory + off, f->erased, f->erase_size);
	return MUE_OK;
}

static const struct mue_flash_ops sim_ops = {
	.read = sim_read,
	.write = sim_write,
	.erase = sim_erase,
};

void mue_flash_sim_init(struct mue_flash_sim *s, uint8_t *memory, uint32_t blocks,
			uint32_t erase_size, uint16_t write_size, uint8_t erased)
{
	memset(s, 0, sizeof(*s));
	s->flash = (struct mue_flash){
		.ops = &sim_ops,
		.ctx = s,
		.size = blocks * erase_size,
		.erase_size = erase_size,
		.write_size = write_size,
		.erased = erased,
	};
	s->memory = memory;
	s->seed = 1;
}

void mue_flash_sim_power_on(struct mue_flash_sim *s, uint32_t cut_at, enum mue_tear tear)
{
	s->ops = s->erases = s->writes = 0;
	s->cut_at = cut_at;
	s->tear = tear;
	s->seed = s->seed * 2654435761u + cut_at * 4 + (uint32_t)tear + 1;
}
