/* SPDX-License-Identifier: MIT */
/*
 * The outbox: the slot into which the library puts what is for other machines. It reads
 * a message only when a road can take it.
 */
#ifndef MS_GATEWAY_OUTBOX_H
#define MS_GATEWAY_OUTBOX_H

struct ms_gateway;
struct ms_outbox;

/* After the roads have been opened: the widest of them bounds what is accepted. */
int ms_outbox_open(struct ms_gateway *gateway, struct ms_outbox **ret_outbox);

/* A road that said -EAGAIN can take messages again. */
void ms_outbox_resume(struct ms_outbox *outbox);

/* Nothing more is accepted; what still lies there is gone. Then the loop must run until
 * it has nothing left, and only then destroy frees it. NULL is allowed. */
void ms_outbox_close(struct ms_outbox *outbox);
void ms_outbox_destroy(struct ms_outbox *outbox);

#endif
