#include "tests/boot/avr_device.h"

#include "core/crc.h"
#include "core/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOOT_CYCLES    60000000u /* more than the slowest verification */
#define COMMAND_CYCLES 4000000u

int avr_open(struct avr_device *d)
{
	const char *boards = getenv("MUE_BOARDS");
	char path[300];

	memset(d, 0, sizeof(*d));
	snprintf(d->boards, sizeof(d->boards), "%s/atmega128", boards ? boards : "build/boards");
	snprintf(path, sizeof(path), "%s/boot.elf", d->boards);
	d->sha = avr128_symbol(path, "mue_sha256_compress");
	d->m = avr128_new(8000000);
	if (!d->sha || !d->m || rig_open(&d->rig) < 0) {
		fprintf(stderr, "no %s: make boards\n", path);
		return -1;
	}
	d->m->native_sha = d->sha;
	d->m->busy_spm = 400;
	d->m->busy_eeprom = 100;
	avr_factory(d);
	return 0;
}

void avr_close(struct avr_device *d)
{
	rig_close(&d->rig);
	avr128_free(d->m);
}

void avr_factory(struct avr_device *d)
{
	uint8_t *identity = d->m->flash + AVR_IDENTITY;
	char path[300];

	memset(d->m->flash, 0xff, AVR128_FLASH);
	memset(d->m->eeprom, 0xff, AVR128_EEPROM);
	snprintf(path, sizeof(path), "%s/boot.elf", d->boards);
	avr128_load(d->m, path);
	memcpy(identity, mue_key_public(d->rig.key)->point, 52);
	memcpy(identity + 52, d->rig.vendor, 16);
	memcpy(identity + 68, d->rig.class_id, 16);
}

void avr_put(struct avr_device *d, uint8_t slot, const struct avr_image *image)
{
	memcpy(d->m->flash + slot * AVR128_SLOT_B, image->bytes, AVR_SLOT_SIZE);
}

int avr_image(struct avr_device *d, uint8_t slot, const char version[4],
	      const struct rig_release *rel, struct avr_image *ret)
{
	struct rig_release r = *rel;
	struct mue_buf env = { .max = 4096 };
	uint8_t *at;
	char path[300];

	avr_factory(d);
	snprintf(path, sizeof(path), "%s/app_%c.elf", d->boards, "ab"[slot]);
	if (avr128_load(d->m, path) < 0)
		return -1;
	memcpy(ret->bytes, d->m->flash + slot * AVR128_SLOT_B, AVR_SLOT_SIZE);
	at = memmem(ret->bytes, AVR_FOOTER, "VER1", 4);
	if (!at)
		return -1;
	memcpy(at, version, 4);
	for (ret->size = AVR_FOOTER; ret->bytes[ret->size - 1] == 0xff;)
		ret->size--;
	if (!r.image) {
		r.image = ret->bytes;
		r.size = ret->size;
		if (r.slot == 0)
			r.slot = slot;
	}
	if (rig_envelope(&d->rig, &r, &env) < 0)
		return -1;
	ret->envelope = (uint32_t)env.len;
	ret->counter = rel->counter;
	ret->bytes[AVR_FOOTER] = (uint8_t)env.len;
	ret->bytes[AVR_FOOTER + 1] = (uint8_t)(env.len >> 8);
	memcpy(ret->bytes + AVR_FOOTER + 2, env.data, env.len);
	mue_buf_free(&env);
	/* docs/FORMATS.md, "Slots of the ATmega128": what slides through erased flash resets. */
	memcpy(ret->bytes + AVR_SLOT_SIZE - 4, "\x0c\x94\x00\xf0", 4);
	return 0;
}

static void journal(struct avr_device *d, struct mue_flash_sim *sim)
{
	mue_flash_sim_init(sim, d->m->eeprom + AVR_STATE, 2, 256, 1, 0xff);
	sim->overwrite = true;
}

int avr_state_load(struct avr_device *d, struct mue_bootstate *ret)
{
	struct mue_flash_sim sim;

	journal(d, &sim);
	return mue_bootstate_load(&sim.flash, ret);
}

int avr_state_store(struct avr_device *d, struct mue_bootstate *s)
{
	struct mue_flash_sim sim;

	journal(d, &sim);
	return mue_bootstate_store(&sim.flash, s);
}

enum avr128_stop avr_boot(struct avr_device *d, char ret_banner[16])
{
	enum avr128_stop stop;
	const char *at;

	ret_banner[0] = 0;
	avr128_power_on(d->m);
	d->m->input_len = 0;
	d->m->until_text = " ready\n";
	stop = avr128_run(d->m, BOOT_CYCLES);
	at = stop == AVR128_SAID ? strstr(d->m->said, "app ") : NULL;
	if (at)
		snprintf(ret_banner, 16, "%.10s", at);
	return stop;
}

enum avr128_stop avr_command(struct avr_device *d, const uint8_t *bytes, size_t len,
			     int8_t *ret_verdict)
{
	struct avr128_machine *m = d->m;
	enum avr128_stop stop;
	size_t at;

	m->said_len = 0;
	m->said[0] = 0;
	m->input = bytes;
	m->input_len = len;
	m->until_text = "=";
	stop = avr128_run(m, COMMAND_CYCLES);
	if (stop != AVR128_SAID)
		return stop;
	m->until_text = NULL;
	for (at = m->said_len; m->said_len == at;) {
		stop = avr128_run(m, 100);
		if (stop != AVR128_CYCLES)
			return stop;
	}
	*ret_verdict = (int8_t)m->said[m->said_len - 1];
	return AVR128_SAID;
}

static enum avr128_stop send_page(struct avr_device *d, const struct avr_image *image, uint32_t off,
				  int8_t *ret_verdict)
{
	uint8_t frame[3 + AVR128_PAGE + 4];
	uint32_t crc;

	frame[0] = 'P';
	frame[1] = (uint8_t)off;
	frame[2] = (uint8_t)(off >> 8);
	memcpy(frame + 3, image->bytes + off, AVR128_PAGE);
	crc = mue_crc32(0, frame + 1, 2 + AVR128_PAGE);
	for (size_t i = 0; i < 4; i++)
		frame[3 + AVR128_PAGE + i] = (uint8_t)(crc >> (8 * i));
	return avr_command(d, frame, sizeof(frame), ret_verdict);
}

enum avr128_stop avr_send_image(struct avr_device *d, const struct avr_image *image,
				int8_t *ret_verdict)
{
	uint8_t trial[5] = { 'T', (uint8_t)image->counter };
	enum avr128_stop stop = avr_command(d, (const uint8_t *)"B", 1, ret_verdict);

	for (uint32_t off = 0; off < AVR_SLOT_SIZE && stop == AVR128_SAID && *ret_verdict == 0;
	     off += AVR128_PAGE) {
		bool blank = true;

		for (uint32_t i = 0; i < AVR128_PAGE; i++)
			blank = blank && image->bytes[off + i] == 0xff;
		if (!blank)
			stop = send_page(d, image, off, ret_verdict);
	}
	if (stop != AVR128_SAID || *ret_verdict != 0)
		return stop;
	return avr_command(d, trial, sizeof(trial), ret_verdict);
}
