import Testing
import Virtio

/// The network card's driver carries what a responder to ARP (RFC 826) and echo requests (RFC 792)
/// takes and gives, against a model of a card.
@Suite struct NetworkDriverTests {
    private static let hasAddress = Features(rawValue: 1 << 5)
    private static let card: [UInt8] = [0x52, 0x54, 0, 1, 2, 3]
    private static let peer: [UInt8] = [2, 0, 0, 0, 0, 9]
    private static let cardIP: [UInt8] = [10, 0, 2, 15]
    private static let peerIP: [UInt8] = [10, 0, 2, 2]

    private func transport(isPacked: Bool) -> FakeTransport {
        let transport = FakeTransport(Self.hasAddress, isPacked: isPacked)
        transport.own.copyBytes(from: Self.card)
        return transport
    }

    /// What the responder answers to a frame.
    private func answer(to frame: [UInt8]) -> [UInt8]? {
        guard frame.count >= 42 else { return nil }
        let header = Array(frame[6..<12]) + Self.card + frame[12..<14]
        if frame[12..<14] == [8, 6], frame[20..<22] == [0, 1], Array(frame[38..<42]) == Self.cardIP
        {
            return header + frame[14..<20] + [0, 2] + Self.card + Self.cardIP + frame[22..<32]
        }
        guard frame[12..<14] == [8, 0], frame[23] == 1, frame[34] == 8 else { return nil }
        var packet = Array(frame[14...])
        packet.replaceSubrange(12..<20, with: frame[30..<34] + frame[26..<30])
        packet[20] = 0
        // The type changed by eight in the high byte, and the sum by its complement.
        let sum = UInt32(packet[22]) << 8 + UInt32(packet[23]) + 0x800
        packet[22] = UInt8((sum & 0xffff + sum >> 16) >> 8)
        packet[23] = UInt8(truncatingIfNeeded: sum & 0xffff + sum >> 16)
        return header + packet
    }

    private var question: [UInt8] {
        [UInt8](repeating: 0xff, count: 6) + Self.peer + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + Self.peer
            + Self.peerIP + [0, 0, 0, 0, 0, 0] + Self.cardIP
    }

    private func echo(_ size: Int) -> [UInt8] {
        let header: [UInt8] = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1, 0, 0]
        let data = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        return Self.card + Self.peer + [8, 0] + header + Self.peerIP + Self.cardIP
            + [8, 0, 0x12, 0x34, 0, 1, 0, 2] + data
    }

    @Test(arguments: [false, true])
    func aResponderIsReachedThroughTheCard(_ isPacked: Bool) throws {
        let transport = transport(isPacked: isPacked)
        var driver = try NetworkDevice(transport) { transport.allocate($0) }
        #expect((0..<6).map { driver.address[$0] } == Self.card)
        let (receiving, sending) = (try transport.model(0), try transport.model(1))
        let frames = (0..<200).map { $0 % 3 == 0 ? question : echo($0 * 7) }
        for frame in frames {
            let chain = try #require(receiving.fetch())
            transport.memory.write([UInt8](repeating: 0, count: 12) + frame, to: chain.buffers[0])
            _ = receiving.use(chain, length: UInt32(12 + frame.count))
            let received = try driver.receive().map { Array($0) }
            #expect(received == frame)
            let reply = try #require(answer(to: received ?? []))
            let isSent = try send(reply, &driver)
            #expect(isSent)
            let sent = try #require(sending.fetch())
            #expect(
                transport.memory.read(sent.buffers[0]) == [UInt8](repeating: 0, count: 12) + reply
            )
            _ = sending.use(sent, length: 0)
            #expect(Array(reply[..<6]) == Self.peer)
        }
        let next = try driver.receive().map { Array($0) }
        #expect(next == nil)
    }

    /// False when the card has no room for the frame.
    private func send(_ frame: [UInt8], _ driver: inout NetworkDevice<FakeTransport>) throws -> Bool
    {
        guard let room = try driver.room() else { return false }
        room.copyBytes(from: frame)
        driver.send(frame.count)
        return true
    }

    @Test(arguments: [false, true])
    func aCardThatSendsNothingTakesNoMoreThanItHasRoomFor(_ isPacked: Bool) throws {
        let transport = transport(isPacked: isPacked)
        var driver = try NetworkDevice(transport) { transport.allocate($0) }
        let frame = question
        var sent = 0
        while try send(frame, &driver) { sent += 1 }
        #expect(sent == 32)
        let device = try transport.model(1)
        _ = device.use(try #require(device.fetch()), length: 0)
        for room in [true, false] {
            let isSent = try send(frame, &driver)
            #expect(isSent == room)
        }
    }

    /// Only who found no room wants to know when there is some.
    @Test(arguments: [false, true])
    func anInterruptTellsOfRoomThatWasMissed(_ isPacked: Bool) throws {
        let transport = transport(isPacked: isPacked)
        var driver = try NetworkDevice(transport) { transport.allocate($0) }
        let device = try transport.model(1)
        for _ in 0..<32 { #expect(try send(question, &driver)) }
        #expect(!device.use(try #require(device.fetch()), length: 0))
        #expect(try send(question, &driver))
        let isSent = try send(question, &driver)
        #expect(!isSent)
        #expect(device.use(try #require(device.fetch()), length: 0))
    }

    /// A frame stays as it is until the next one is asked for, and its room is the card's again then.
    @Test(arguments: [false, true])
    func aFrameIsLentUntilTheNext(_ isPacked: Bool) throws {
        let transport = transport(isPacked: isPacked)
        var driver = try NetworkDevice(transport) { transport.allocate($0) }
        let device = try transport.model(0)
        var chains: [ModelChain] = []
        while let chain = device.fetch() { chains.append(chain) }
        #expect(chains.count == 32)
        for chain in chains {
            transport.memory.write(
                [UInt8](repeating: 0, count: 12) + question,
                to: chain.buffers[0]
            )
            _ = device.use(chain, length: UInt32(12 + question.count))
        }
        for _ in chains {
            let frame = try driver.receive().map { Array($0) }
            #expect(frame == question)
        }
        #expect(device.fetch() != nil)
        let next = try driver.receive().map { Array($0) }
        #expect(next == nil)
    }

    @Test func theCardTellsWhetherItHasALink() throws {
        let features: Features = [Self.hasAddress, Features(rawValue: 1 << 16)]
        let transport = FakeTransport(features)
        let driver = try NetworkDevice(transport) { transport.allocate($0) }
        #expect(!driver.hasLink)
        transport.own[6] = 1
        #expect(driver.hasLink)
        // One that does not tell has one.
        let silent = FakeTransport(Self.hasAddress)
        let other = try NetworkDevice(silent) { silent.allocate($0) }
        #expect(other.hasLink)
    }

    /// The least that IPv4 asks for, and what a piece has room for.
    @Test(arguments: [(0, 68), (1400, 1400), (1500, 1500), (65_535, 1500)])
    func theCardsPacketLimitIsKeptInBounds(told: Int, limit: Int) throws {
        let transport = FakeTransport(Features(rawValue: 1 << 3))
        transport.own[10] = UInt8(told & 255)
        transport.own[11] = UInt8(told >> 8)
        let driver = try NetworkDevice(transport) { transport.allocate($0) }
        #expect(driver.packetLimit == limit)
    }

    /// Less than a header is no frame, and more than its room ends the queue.
    @Test func lengthsOfTheCardAreNotBelieved() throws {
        let transport = transport(isPacked: false)
        var driver = try NetworkDevice(transport) { transport.allocate($0) }
        let device = try transport.model(0)
        for length in [0, 11, 12, 2048] as [UInt32] {
            _ = device.use(try #require(device.fetch()), length: length)
        }
        for expected in [2036, nil] {
            let length = try driver.receive()?.count
            #expect(length == expected)
        }
        _ = device.use(try #require(device.fetch()), length: 2049)
        #expect(throws: QueueFault.lengthTooLong) { _ = try driver.receive() }
    }
}
