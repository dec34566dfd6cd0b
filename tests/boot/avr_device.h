/*
 * avr_device.h - a sensor with an ATmega128 on the bench: the real boot section and the real
 * example application in the simulated machine, signed images, and the serial line between us and
 * it.
 */
#ifndef MUE_TESTS_BOOT_AVR_DEVICE_H
#define MUE_TESTS_BOOT_AVR_DEVICE_H

#include "sim/avr128.h"
#include "sim/flash_sim.h"
#include "tests/boot/rig.h"

/* boards/atmega128/layout.h, as the outside sees it. */
#define AVR_SLOT_SIZE 0xf000u
#define AVR_FOOTER    0xe700u
#define AVR_IDENTITY  0x1ffacu
#define AVR_STATE     16u

/* A slot's content, signed. */
struct avr_image {
	uint8_t bytes[AVR_SLOT_SIZE];
	uint32_t size;     /* of the image */
	uint32_t envelope; /* bytes of the envelope */
	uint32_t counter;
};

struct avr_device {
	struct rig rig;
	struct avr128_machine *m;
	char boards[256]; /* folder of boot.elf, app_a.elf, app_b.elf */
	uint32_t sha;     /* address of the compression */
};

/* 0, or -1 when the boards are not built (says so on stderr). */
int avr_open(struct avr_device *d);
void avr_close(struct avr_device *d);

/* The example application for `slot`, its version text replaced, signed as *rel says (slot, image
 * and size are filled in when rel->image is NULL). */
int avr_image(struct avr_device *d, uint8_t slot, const char version[4],
	      const struct rig_release *rel, struct avr_image *ret);

/* Erases everything, programs boot section and identity. */
void avr_factory(struct avr_device *d);
void avr_put(struct avr_device *d, uint8_t slot, const struct avr_image *image);

/* The boot state in EEPROM, through core's own journal.  load: MUE_ENODATA. */
int avr_state_load(struct avr_device *d, struct mue_bootstate *ret);
int avr_state_store(struct avr_device *d, struct mue_bootstate *s);

/* Power on, and run until the application says it is ready.  ret_banner: "app A VER1", "" when it
 * never did. */
enum avr128_stop avr_boot(struct avr_device *d, char ret_banner[16]);

/* Sends a command and waits for its verdict.  *ret_verdict only with AVR128_SAID. */
enum avr128_stop avr_command(struct avr_device *d, const uint8_t *bytes, size_t len,
			     int8_t *ret_verdict);

/* The pages of an image that are not blank, written by the application with B, P... and T.  Stops
 * at the first thing that is not a success. */
enum avr128_stop avr_send_image(struct avr_device *d, const struct avr_image *image,
				int8_t *ret_verdict);

#endif
