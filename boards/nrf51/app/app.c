/*
 * The example application of the nRF51: says who it is and takes an update over the serial line,
 * with the commands of the ATmega128's (boards/atmega128/app/app.c).  It may write flash itself;
 * the rules of core/bootstate.h are kept by begin_write.
 */
#include "boards/nrf51/nvmc.h"
#include "boards/nrf51/uart.h"
#include "core/bootstate.h"
#include "core/crc.h"
#include "core/err.h"
#include "core/mem.h"

#include <layout.h>

#define TRIES 3
#define OTHER (APP_SLOT ^ 1u)

extern uint32_t data_start[], data_load[], bss_start[], app_stack[];
extern uint8_t data_size[], bss_size[]; /* their addresses are the sizes */

/* Read as volatile: tests put another text here. */
__attribute__((used)) static const uint8_t app_version[4] = { 'V', 'E', 'R', '1' };
static uint8_t page[BOARD_PAGE];
static volatile uint32_t answered;

static void say(const char *text)
{
	while (*text)
		mue_uart_send((uint8_t)*text++);
}

static void receive_to(uint8_t *to, uint32_t len)
{
	while (len--)
		*to++ = mue_uart_receive();
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int take_page(const struct mue_bootstate *s)
{
	uint8_t number[2], crc[4];
	uint32_t off;

	receive_to(number, 2);
	receive_to(page, sizeof(page));
	receive_to(crc, 4);
	if (get32(crc) != mue_crc32(mue_crc32(0, number, 2), page, sizeof(page)))
		return MUE_EFORMAT;
	off = (number[0] | (uint32_t)number[1] << 8) * BOARD_PAGE;
	if (off >= BOARD_SLOT_SIZE || s->active == OTHER || s->trial != MUE_SLOT_NONE ||
	    s->image[OTHER] != MUE_IMAGE_UNKNOWN)
		return MUE_EPERM;
	mue_nvmc_erase(BOARD_SLOT_BASE(OTHER) + off);
	mue_nvmc_write(BOARD_SLOT_BASE(OTHER) + off, page, sizeof(page));
	return MUE_OK;
}

static int command(uint8_t letter)
{
	struct mue_flash_ops ops;
	struct mue_bootstate s;
	struct mue_flash f;
	uint8_t counter[4];
	int e;

	mue_nvmc_state(&f, &ops);
	if (mue_bootstate_load(&f, &s) < 0)
		mue_bootstate_init(&s, MUE_SLOT_A);
	switch (letter) {
	case 'B':
		e = mue_bootstate_begin_write(&s, BOARD_POLICY, OTHER);
		break;
	case 'P':
		return take_page(&s);
	case 'T':
		receive_to(counter, 4);
		e = mue_bootstate_request_trial(&s, BOARD_POLICY, OTHER, TRIES, get32(counter));
		break;
	case 'C':
		e = mue_bootstate_confirm(&s, APP_SLOT, 0);
		break;
	case 'R':
		e = mue_bootstate_revert(&s, MUE_EHEALTH);
		break;
	default:
		return MUE_EINVAL;
	}
	return e < 0 ? e : mue_bootstate_store(&f, &s);
}

void app_reset(void);
void app_exception(void);

/* SVC, by way of the bootloader's vectors: proves that exceptions reach this image. */
void app_exception(void)
{
	answered++;
}

void app_reset(void)
{
	uint8_t letter;

	memcpy(data_start, data_load, (size_t)data_size);
	memset(bss_start, 0, (size_t)bss_size);
	mue_uart_open();
	say(APP_SLOT ? "app B " : "app A ");
	for (uint32_t i = 0; i < 4; i++)
		mue_uart_send(((const volatile uint8_t *)app_version)[i]);
	say(" ready\n");
	for (;;) {
		letter = mue_uart_receive();
		letter = (uint8_t)command(letter);
		mue_uart_send('=');
		mue_uart_send(letter);
	}
}

typedef void (*handler)(void);

struct vectors {
	uint32_t *stack;
	handler reset;
	handler other[14];
};

/* clang-format off */
#define E7 app_exception, app_exception, app_exception, app_exception, app_exception, app_exception, app_exception
__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
	app_stack, app_reset, { E7, E7 }
};
/* clang-format on */
