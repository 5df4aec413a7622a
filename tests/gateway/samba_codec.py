#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A machine whose mailslots are Samba's own codec (package python3-samba), over plain UDP.

  samba_codec.py receive COUNT      print what comes to port 138, a line of JSON each
  samba_codec.py send TO TYPE SOURCE DESTINATION SLOT DATA COUNT
"""
import json
import socket
import sys

from samba.dcerpc import nbt
from samba.ndr import ndr_pack, ndr_unpack

SMB_FIXED = 69  # bytes in front of the slot's name
PREFIX = "\\MAILSLOT\\"


def show(packet):
    datagram = ndr_unpack(nbt.dgram_packet, packet)
    message, write = datagram.data, datagram.data.body.body
    padding = write.data_offset - (SMB_FIXED + len(write.mailslot_name) + 1)
    data = bytes(write.data)[padding:]
    return {
        "type": datagram.msg_type,
        "source": "%s<%02x>" % (message.source_name.name, message.source_name.type),
        "destination": "%s<%02x>" % (message.dest_name.name, message.dest_name.type),
        "claimed": datagram.src_addr,
        "slot": write.mailslot_name,
        "data": data.decode("latin1"),
        "is_whole": len(data) == write.data_count == write.total_data_count,
        "is_same": ndr_pack(datagram) == packet,
        "packet": packet.hex(),
    }


def name(text):
    result = nbt.name()
    result.name, result.type = text.upper(), 0
    return result


def make(source_address, kind, source, destination, slot, data):
    write = nbt.smb_trans_body()
    write.opcode, write._class = 1, 2
    write.mailslot_name = PREFIX + slot
    write.total_data_count = write.data_count = len(data)
    write.data_offset = SMB_FIXED + len(write.mailslot_name) + 1
    write.data = data
    smb = nbt.dgram_smb_packet()
    smb.smb_command, smb.body = 0x25, write
    message = nbt.dgram_message()
    message.source_name, message.dest_name = name(source), name(destination)
    message.dgram_body_type, message.body = nbt.DGRAM_SMB, smb
    message.length = 68 + write.data_offset + len(data)
    datagram = nbt.dgram_packet()
    datagram.msg_type = kind
    datagram.flags = nbt.DGRAM_FLAG_FIRST | nbt.DGRAM_NODE_B
    datagram.dgram_id, datagram.src_addr, datagram.src_port = 7, source_address, 138
    datagram.data = message
    return ndr_pack(datagram)


def open_socket(address):
    result = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    result.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    result.bind(address)
    return result


def receive(count):
    udp = open_socket(("0.0.0.0", 138))
    udp.settimeout(30)
    print("ready", flush=True)
    for _ in range(count):
        print(json.dumps(show(udp.recv(2048))), flush=True)


def send(to, kind, source, destination, slot, data, count):
    udp = open_socket(("0.0.0.0", 138))
    packet = make("10.77.0.9", int(kind), source, destination, slot, data.encode())
    for _ in range(int(count)):
        udp.sendto(packet, (to, 138))


if sys.argv[1] == "receive":
    receive(int(sys.argv[2]))
else:
    send(*sys.argv[2:])
