/*
 * The example application: says who it is, reports a reading twenty times a second from a timer
 * interrupt, and takes an update over the same serial line.
 *
 * Commands are one letter: S state, B begin writing the other slot, P off_lo off_hi page[256]
 * crc[4] (CRC-32 over offset and page), T trial of the other slot (security counter in 4 bytes), C
 * confirm, R revert.  Each is answered by '=' and the verdict as a signed byte.  The version is the
 * word at app_version, so that one build serves as many releases in tests.
 */
#include "boot/boot.h"

#include "core/crc.h"
#include "core/err.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/wdt.h>
#include <stddef.h>

#define TRIES 3

typedef int8_t (*service_fn)(uint8_t service, struct mue_boot_call *call);

/* The boot section's entry, as a word address. */
static int8_t service(uint8_t what, struct mue_boot_call *call)
{
	return ((service_fn)(0x1e08cu / 2))(what, call);
}

extern const uint8_t app_version[4];
const uint8_t app_version[4] PROGMEM __attribute__((used)) = { 'V', 'E', 'R', '1' };

static volatile uint8_t reading;
static uint8_t page[BOARD_PAGE];

ISR(TIMER0_COMP_vect)
{
	reading++;
}

static void send(uint8_t byte)
{
	while (!(UCSR0A & 1 << UDRE0))
		;
	UDR0 = byte;
}

static void send_digit(uint8_t n)
{
	send((uint8_t)('0' + n));
}

static void say(const char *text)
{
	while (*text)
		send((uint8_t)*text++);
}

static uint8_t receive(void)
{
	while (!(UCSR0A & 1 << RXC0))
		wdt_reset();
	return UDR0;
}

static void receive_to(uint8_t *to, uint16_t len)
{
	while (len--)
		*to++ = receive();
}

static int8_t store(struct mue_boot_call *c, int e)
{
	return e < 0 ? (int8_t)e : service(MUE_SERVICE_STORE, c);
}

static int8_t take_page(struct mue_boot_call *c)
{
	uint8_t off[2], crc[4];
	uint32_t sum;

	receive_to(off, 2);
	receive_to(page, sizeof(page));
	receive_to(crc, 4);
	sum = mue_crc32(mue_crc32(0, off, 2), page, sizeof(page));
	if (sum !=
	    ((uint32_t)crc[3] << 24 | (uint32_t)crc[2] << 16 | (uint16_t)(crc[1] << 8) | crc[0]))
		return MUE_EFORMAT;
	c->slot = APP_SLOT ^ 1;
	c->off = (board_off_t)(off[0] | off[1] << 8);
	c->page = page;
	return service(MUE_SERVICE_WRITE, c);
}

static int8_t command(uint8_t letter)
{
	struct mue_boot_call c;
	uint8_t counter[4];

	service(MUE_SERVICE_STATE, &c);
	switch (letter) {
	case 'B':
		return store(&c, mue_bootstate_begin_write(&c.state, BOARD_POLICY, APP_SLOT ^ 1));
	case 'P':
		return take_page(&c);
	case 'T':
		receive_to(counter, 4);
		return store(
			&c, mue_bootstate_request_trial(&c.state, BOARD_POLICY, APP_SLOT ^ 1, TRIES,
							(uint32_t)counter[1] << 8 | counter[0]));
	case 'C':
		return store(&c, mue_bootstate_confirm(&c.state, APP_SLOT, NULL));
	case 'R':
		return store(&c, mue_bootstate_revert(&c.state, MUE_EHEALTH));
	case 'S':
		send_digit(c.state.active);
		send_digit(c.state.trial == MUE_SLOT_NONE ? 9 : c.state.trial);
		send_digit(c.state.tries);
		send_digit(c.state.image[0]);
		send_digit(c.state.image[1]);
		send_digit(c.state.reason);
		send_digit((uint8_t)c.state.counter);
		return MUE_OK;
	default:
		return MUE_EINVAL;
	}
}

int main(void)
{
	uint8_t i;

	UBRR0L = (uint8_t)(F_CPU / 8 / BOARD_BAUD - 1);
	UCSR0A = 1 << U2X0;
	UCSR0B = 1 << RXEN0 | 1 << TXEN0;
	OCR0 = 20;
	TCCR0 = 1 << WGM01 | 2; /* compare match every 160 cycles */
	TIMSK = 1 << OCIE0;
	sei();
	while (reading < 3) /* interrupts reach this slot, or nothing is said */
		;
	TIMSK = 0;
	say(APP_SLOT ? "app B " : "app A ");
	for (i = 0; i < 4; i++)
		send(pgm_read_byte_far(pgm_get_far_address(app_version) + i));
	say(" ready\n");
	for (;;) {
		i = (uint8_t)command(receive());
		send('=');
		send(i);
	}
}
