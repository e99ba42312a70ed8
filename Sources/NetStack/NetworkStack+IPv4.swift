/// Packets, and the messages about them.
extension NetworkStack {
    mutating func receiveIPv4<Sink: FrameSink>(
        _ frame: RawSpan,
        isToAll: Bool,
        at time: UInt64,
        _ sink: inout Sink
    ) {
        let packet: IPv4Header
        switch IPv4Header.read(frame, at: EthernetHeader.byteCount) {
        case .fault(let fault): return counters.count(fault)
        case .packet(let header): packet = header
        }
        let own = configuration.interface
        let isBroadcast = own.isBroadcast(packet.destination)
        // A packet for one host in a frame for all is taken by none (RFC 1122, section 3.3.6).
        guard packet.destination == own.address && !isToAll || isBroadcast && isToAll else {
            counters.notForUs &+= 1
            return
        }
        guard packet.source.isHost, packet.source != own.address, !own.isBroadcast(packet.source)
        else {
            counters.malformed &+= 1
            return
        }
        guard packet.protocolNumber == IPv4Header.icmp else {
            counters.unknownProtocol &+= 1
            return
        }
        receiveICMP(frame, packet, isBroadcast: isBroadcast, at: time, &sink)
    }

    /// Sends a packet that is written into the frame where it says.
    private mutating func sendIPv4<Sink: FrameSink>(
        to destination: IPv4Address,
        _ protocolNumber: UInt8,
        payloadSize: Int,
        at time: UInt64,
        _ sink: inout Sink,
        _ writePayload: (inout MutableRawSpan, Int) -> Void
    ) {
        let own = configuration
        let size = IPv4Header.byteCount + payloadSize
        // There is no router yet: only this network is reached.
        guard own.interface.isHostHere(destination), size <= own.packetLimit else {
            counters.unreachable &+= 1
            return
        }
        let next = neighbours.find(destination, at: time)
        let header = EthernetHeader(
            destination: next.hardware ?? .broadcast,
            source: own.hardware,
            type: EthernetHeader.ipv4
        )
        func write(_ frame: inout MutableRawSpan) {
            header.write(to: &frame)
            IPv4Header.write(
                to: &frame,
                at: EthernetHeader.byteCount,
                from: own.interface.address,
                to: destination,
                protocolNumber,
                payloadSize: payloadSize
            )
            writePayload(&frame, EthernetHeader.byteCount + IPv4Header.byteCount)
        }
        let length = EthernetHeader.byteCount + size
        if next.hardware != nil {
            send(length: length, &sink) { write(&$0) }
        } else {
            let (isKept, isAnotherLost) = neighbours.keep(for: destination, length: length) {
                write(&$0)
            }
            if !isKept || isAnotherLost { counters.unreachable &+= 1 }
        }
        if let question = next.question { ask(question, &sink) }
    }

    // MARK: ICMP

    private mutating func receiveICMP<Sink: FrameSink>(
        _ frame: RawSpan,
        _ packet: IPv4Header,
        isBroadcast: Bool,
        at time: UInt64,
        _ sink: inout Sink
    ) {
        switch ICMP.read(frame, packet.payload) {
        case .fault(let fault): counters.count(fault)
        // Answering all at once to what all were asked helps nobody (RFC 1122, section 3.2.2.6).
        case .other: counters.unknownProtocol &+= 1
        case .echoRequest where isBroadcast: counters.notForUs &+= 1
        case .echoRequest:
            counters.echoRequests &+= 1
            let request = packet.payload
            sendIPv4(
                to: packet.source,
                IPv4Header.icmp,
                payloadSize: request.count,
                at: time,
                &sink
            ) { target, start in
                ICMP.writeEchoReply(to: &target, at: start, frame, request)
            }
        }
    }
}
