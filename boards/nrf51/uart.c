#include "boards/nrf51/uart.h"

#define UART(offset) (*(volatile uint32_t *)(0x40002000u + (offset)))
enum { STARTRX = 0x000, STARTTX = 0x008, RXDRDY = 0x108, TXDRDY = 0x11c, ENABLE = 0x500 };
enum { PSELTXD = 0x50c, PSELRXD = 0x514, RXD = 0x518, TXD = 0x51c, BAUDRATE = 0x524 };

#define WDT(offset) (*(volatile uint32_t *)(0x40010000u + (offset)))
enum { WDT_START = 0x000, WDT_CRV = 0x504, WDT_RREN = 0x508, WDT_RR0 = 0x600 };

void mue_uart_open(void)
{
	UART(PSELTXD) = 24;
	UART(PSELRXD) = 25;
	UART(BAUDRATE) = 0x04000000; /* 250 kbit/s */
	UART(ENABLE) = 4;
	UART(STARTTX) = 1;
	UART(STARTRX) = 1;
}

void mue_uart_send(uint8_t byte)
{
	UART(TXDRDY) = 0;
	UART(TXD) = byte;
	while (!UART(TXDRDY))
		;
}

uint8_t mue_uart_receive(void)
{
	while (!UART(RXDRDY))
		mue_watchdog_kick();
	UART(RXDRDY) = 0;
	return (uint8_t)UART(RXD);
}

void mue_watchdog_start(void)
{
	WDT(WDT_CRV) = 2 * 32768;
	WDT(WDT_RREN) = 1;
	WDT(WDT_START) = 1;
}

void mue_watchdog_kick(void)
{
	WDT(WDT_RR0) = 0x6e524635;
}
