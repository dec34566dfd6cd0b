/* The ATmega128's side of boot/board.h. */
#include "boot/board.h"

#include "core/err.h"
#include "core/size.h"

#include <avr/io.h>
#include <avr/wdt.h>
#include <stddef.h>

/* `len` is at least 1.  Z+ carries into RAMPZ. */
static void read_flash(uint8_t bank, uint16_t z, void *buf, uint8_t len)
{
	uint8_t *to = buf;

	RAMPZ = bank;
	__asm__ volatile("1:	elpm	__tmp_reg__, Z+\n"
			 "	st	X+, __tmp_reg__\n"
			 "	dec	%2\n"
			 "	brne	1b\n"
			 : "+z"(z), "+x"(to), "+r"(len)
			 :
			 : "memory");
}

void mue_board_identity(struct mue_boot_identity *ret)
{
	read_flash(1, (uint16_t)BOARD_IDENTITY, ret, sizeof(*ret));
}

/* The low 16 bits of an address in a slot; *ret_bank its upper ones. */
static uint16_t address(uint8_t slot, board_off_t off, uint8_t *ret_bank)
{
	uint16_t z = slot ? (uint16_t)(off + BOARD_SLOT_B) : off;

	*ret_bank = z < off; /* slot B goes over 64 kB */
	return z;
}

void mue_board_read(uint8_t slot, board_off_t off, void *buf, uint8_t len)
{
	uint8_t bank;
	uint16_t z = address(slot, off, &bank);

	read_flash(bank, z, buf, len);
}

/* One SPM instruction, and the wait until it is done.  SPM must follow SPMCSR within 4 cycles. */
static void spm(uint16_t z, uint8_t command, uint16_t word)
{
	__asm__ volatile("	movw	r0, %2\n"
			 "	sts	%3, %1\n"
			 "	spm\n"
			 "	clr	__zero_reg__\n"
			 :
			 : "z"(z), "r"(command), "r"(word), "n"(_SFR_MEM_ADDR(SPMCSR))
			 : "r0");
	while (SPMCSR & 1 << SPMEN)
		;
}

void mue_board_write_page(uint8_t slot, board_off_t off, const uint8_t *page)
{
	uint8_t sreg = SREG, i = 0, bank;
	uint16_t z = address(slot, off, &bank);

	__asm__ volatile("cli");
	while (EECR & 1 << EEWE)
		;
	RAMPZ = bank;
	spm(z, 1 << PGERS | 1 << SPMEN, 0);
	do {
		spm((uint16_t)(z + i), 1 << SPMEN,
		    (uint16_t)(page[i] | (uint16_t)page[i + 1] << 8));
		i = (uint8_t)(i + 2);
	} while (i);
	spm(z, 1 << PGWRT | 1 << SPMEN, 0);
	spm(z, 1 << RWWSRE | 1 << SPMEN, 0);
	SREG = sreg;
}

/* ---- the journal in EEPROM ---- */

static void eeprom_at(uint16_t off)
{
	while (EECR & 1 << EEWE)
		wdt_reset();
	EEAR = (uint16_t)(BOARD_STATE + off);
}

int mue_small_read(uint16_t off, uint8_t *buf, uint8_t len);
int mue_small_write(uint16_t off, const uint8_t *buf, uint8_t len);
int mue_small_erase(uint16_t off);

int mue_small_read(uint16_t off, uint8_t *buf, uint8_t len)
{
	while (len--) {
		eeprom_at(off++);
		EECR |= 1 << EERE;
		*buf++ = EEDR;
	}
	return MUE_OK;
}

static void eeprom_write_byte(uint16_t off, uint8_t value)
{
	uint8_t sreg = SREG;

	eeprom_at(off);
	EECR |= 1 << EERE;
	if (EEDR == value)
		return;
	EEDR = value;
	__asm__ volatile("cli");
	EECR |= 1 << EEMWE; /* EEWE must follow within 4 cycles */
	EECR |= 1 << EEWE;
	SREG = sreg;
}

int mue_small_write(uint16_t off, const uint8_t *buf, uint8_t len)
{
	while (len--)
		eeprom_write_byte(off++, *buf++);
	return MUE_OK;
}

int mue_small_erase(uint16_t off)
{
	uint8_t n = 0;

	do
		eeprom_write_byte(off++, 0xff);
	while (++n);
	return MUE_OK;
}

_Static_assert(BOARD_STATE_BLOCK == 256, "mue_small_erase counts 256 bytes in 8 bits");
_Static_assert(BOARD_STATE_BLOCK == MUE_BOOTSTATE_SMALL, "board.mk says how long a block is");

const struct mue_flash *mue_board_state(struct mue_boot_medium *ret)
{
	(void)ret;
	return NULL;
}

/* ---- watchdog, start, link ---- */

void mue_board_kick(void)
{
	wdt_reset();
}

/* The high byte of the image's word address. */
MUE_NOINLINE uint8_t mue_board_token(uint8_t slot)
{
	return slot ? BOARD_SLOT_B >> 9 : 0;
}

/*
 * Slot B takes its interrupts through the boot section's vectors (start.S), which jump on to its
 * own: IVSEL.  The watchdog stays on: an image that hangs comes back here, and its try is counted.
 */
void mue_board_start(uint8_t slot, const uint8_t proof[MUE_BOOT_PROOF_SIZE])
{
	uint8_t high = slot ? BOARD_SLOT_B >> 9 : 0; /* of the word address */

	uint8_t unproven;

	MCUCR = 1 << IVCE;
	MCUCR = slot ? 1 << IVSEL : 0;
	unproven = (uint8_t)((proof[0] ^ MUE_BOOT_PROOF_SIGNATURE) |
			     (proof[1] ^ MUE_BOOT_PROOF_IMAGE) | (proof[2] ^ high));
	/* mask = unproven ? 0xff : 0; high = mask ? 0xf0 : high, without a branch. */
	__asm__ volatile("	cp	__zero_reg__, %1\n"
			 "	sbc	r31, r31\n"
			 "	or	%0, r31\n"
			 "	andi	r31, 0x0f\n"
			 "	eor	r31, %0\n"
			 "	clr	r30\n"
			 "	ijmp\n"
			 : "+r"(high)
			 : "r"(unproven)
			 : "r30", "r31");
	__builtin_unreachable();
}

uint8_t mue_board_receive(void)
{
	UBRR0L = (uint8_t)(F_CPU / 8 / BOARD_BAUD - 1);
	UCSR0A = 1 << U2X0;
	UCSR0B = 1 << RXEN0 | 1 << TXEN0;
	while (!(UCSR0A & 1 << RXC0))
		wdt_reset();
	return UDR0;
}

void mue_board_send(uint8_t byte)
{
	UCSR0B = 1 << RXEN0 | 1 << TXEN0;
	while (!(UCSR0A & 1 << UDRE0))
		;
	UDR0 = byte;
}
