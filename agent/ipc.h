/*
 * ipc.h - what `fetch` and `install` say to each other over a SOCK_SEQPACKET socketpair.
 *
 * One packet is one struct mue_ipc_msg and up to MUE_IPC_DATA bytes behind it.  `fetch` is the
 * side that talks to the network: install believes nothing it says but the bytes whose digest it
 * computed itself.  Every text is cut at its array's end on receipt.
 *
 *	fetch -> install			install -> fetch
 *	OFFER (envelope behind it)		VERDICT (refused, or already done) | WANT
 *	DATA..., END (0 or a verdict)		VERDICT (0: the slot holds it)
 *	ACTIVATE				REPORT..., REBOOT | VERDICT
 *	CANCEL					VERDICT (0: given up, else too late)
 *	REACHED (0 or a verdict)		REPORT... (confirmed, or REBOOT to revert)
 *	STORED (a report is durable)
 */
#ifndef MUE_AGENT_IPC_H
#define MUE_AGENT_IPC_H

#include "host/err.h"

#include <stddef.h>
#include <stdint.h>

/* Most bytes behind a message: large packets save system calls, and still the kernel's default
 * limit of a socket's send buffer (212992) takes one. */
#define MUE_IPC_DATA     131072
#define MUE_IPC_ENVELOPE 65536 /* largest envelope */
#define MUE_IPC_ACTION   64
#define MUE_IPC_NAME     256
#define MUE_IPC_TEXT     512
#define MUE_IPC_TIMEOUT  600 /* seconds the other side may think */

enum mue_ipc_type {
	MUE_IPC_OFFER = 1, /* action; an envelope */
	MUE_IPC_WANT,      /* name, offset, size: send that file's bytes from offset on */
	MUE_IPC_DATA_,     /* payload bytes, in order */
	MUE_IPC_END,       /* verdict: the last byte was sent, or no more will come */
	MUE_IPC_ACTIVATE,  /* action: ask for the trial boot */
	MUE_IPC_CANCEL,    /* action */
	MUE_IPC_VERDICT,   /* action, verdict, text: answer */
	MUE_IPC_REPORT,    /* action, status, text: tell the server, durably */
	MUE_IPC_STORED,    /* answer to REPORT */
	MUE_IPC_ATTRIBUTE, /* name, text: one attribute of configData; an empty name ends the list
			    */
	MUE_IPC_PROVE,     /* in trial: say whether the server can be reached */
	MUE_IPC_REACHED,   /* verdict, text: answer to PROVE */
	MUE_IPC_REBOOT,    /* the device goes down now */
	MUE_IPC_IDLE,      /* start-up is over: poll */
};

/* Flags of VERDICT. */
#define MUE_IPC_INSTALLED 1u /* it runs already: nothing to do */
#define MUE_IPC_BEGUN     2u /* the slot was being written */

/* What a report says, see report.h. */
enum mue_report_kind {
	MUE_REPORT_PROCEEDING = 1,
	MUE_REPORT_DOWNLOADED,
	MUE_REPORT_SUCCESS,
	MUE_REPORT_FAILURE,
	MUE_REPORT_CANCEL_DONE,
	MUE_REPORT_CANCEL_REJECTED,
};

struct mue_ipc_msg {
	uint32_t type;
	int32_t verdict;
	uint32_t kind; /* enum mue_report_kind */
	uint32_t flags;
	uint64_t offset, size;
	char action[MUE_IPC_ACTION];
	char name[MUE_IPC_NAME];
	char text[MUE_IPC_TEXT];
};

/* Sends a message with `len` bytes behind it; blocks.  MUE_ELINK: the other side is gone. */
int mue_ipc_send(int fd, const struct mue_ipc_msg *m, const void *data, size_t len,
		 struct mue_error *e);

/* Receives one; *ret_len bytes behind it are put into `data` (MUE_IPC_DATA bytes, or NULL when none
 * are expected).  timeout_ms -1: for ever.  MUE_ELINK: the other side is gone; MUE_ETIMEOUT;
 * MUE_ECANCELLED: a signal arrived; MUE_EPROTOCOL: a packet of a wrong size or type. */
int mue_ipc_recv(int fd, struct mue_ipc_msg *ret, void *data, size_t *ret_len, int timeout_ms,
		 struct mue_error *e);

/* Lets a second large packet wait while the first is taken, as far as the kernel allows. */
void mue_ipc_widen(int fd);

/* Fills a message's fields; texts are cut when too long. */
void mue_ipc_make(struct mue_ipc_msg *m, enum mue_ipc_type type, const char *action);

#endif
