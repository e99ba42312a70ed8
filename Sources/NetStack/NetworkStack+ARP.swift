/// Who has which address: asking, answering, announcing.
extension NetworkStack {
    /// As RFC 826 tells it under "packet reception", and RFC 5227, section 2.4, of another host with the
    /// same address.
    mutating func receiveARP<Sink: FrameSink>(
        _ frame: RawSpan,
        at time: UInt64,
        _ sink: inout Sink
    ) {
        guard let packet = ARPPacket(frame, at: EthernetHeader.byteCount) else {
            counters.malformed &+= 1
            return
        }
        let own = configuration.interface
        guard packet.sender != own.address else { return defend(packet, at: time, &sink) }
        let isForUs = packet.target == own.address
        if !isForUs { counters.notForUs &+= 1 }
        // A host that looks whether an address is free has none itself yet.
        if own.isHostHere(packet.sender) {
            let isWanted = isForUs && packet.operation == .request
            neighbours.learn(packet.sender, packet.senderHardware, isWanted: isWanted, at: time)
            sendWaiting(for: packet.sender, &sink)
        }
        guard isForUs, packet.operation == .request else { return }
        send(
            ARPPacket(
                .reply,
                from: configuration.hardware,
                own.address,
                to: packet.senderHardware,
                packet.sender
            ),
            to: packet.senderHardware,
            &sink
        )
    }

    private mutating func defend<Sink: FrameSink>(
        _ packet: ARPPacket,
        at time: UInt64,
        _ sink: inout Sink
    ) {
        guard packet.senderHardware != configuration.hardware else { return }
        counters.addressConflicts &+= 1
        if let defendedAt, time &- defendedAt < Self.defencePause { return }
        defendedAt = time
        announce(&sink)
    }

    mutating func announce<Sink: FrameSink>(_ sink: inout Sink) {
        let (hardware, address) = (configuration.hardware, configuration.interface.address)
        let nobody = EthernetAddress(bits: 0)
        send(
            ARPPacket(.request, from: hardware, address, to: nobody, address),
            to: .broadcast,
            &sink
        )
    }

    mutating func ask<Sink: FrameSink>(
        _ question: NeighbourTable.Question,
        _ sink: inout Sink
    ) {
        let packet = ARPPacket(
            .request,
            from: configuration.hardware,
            configuration.interface.address,
            to: EthernetAddress(bits: 0),
            question.address
        )
        send(packet, to: question.hardware, &sink)
    }

    private mutating func send<Sink: FrameSink>(
        _ packet: ARPPacket,
        to destination: EthernetAddress,
        _ sink: inout Sink
    ) {
        let header = EthernetHeader(
            destination: destination,
            source: configuration.hardware,
            type: EthernetHeader.arp
        )
        send(length: EthernetHeader.byteCount + ARPPacket.byteCount, &sink) { frame in
            header.write(to: &frame)
            packet.write(to: &frame, at: EthernetHeader.byteCount)
        }
    }

    private mutating func sendWaiting<Sink: FrameSink>(
        for address: IPv4Address,
        _ sink: inout Sink
    ) {
        var isSent: Bool?
        neighbours.takeWaiting(for: address) { frame, hardware in
            isSent = sink.send(length: frame.byteCount) { target in
                target.copy(frame, from: 0, count: frame.byteCount, to: 0)
                target.put(hardware.high, at: 0)
                target.put(hardware.low, at: 2)
            }
        }
        guard let isSent else { return }
        if isSent { counters.framesSent &+= 1 } else { counters.framesUnsent &+= 1 }
    }
}
