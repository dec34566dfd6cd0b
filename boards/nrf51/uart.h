/*
 * uart.h - the nRF51's UART0, polled: 250 kbit/s, 8N1.
 */
#ifndef MUE_BOARDS_NRF51_UART_H
#define MUE_BOARDS_NRF51_UART_H

#include <stdint.h>

void mue_uart_open(void);
void mue_uart_send(uint8_t byte);
/* Waits, and feeds the watchdog. */
uint8_t mue_uart_receive(void);

void mue_watchdog_start(void); /* two seconds; it cannot be stopped again */
void mue_watchdog_kick(void);

#endif
