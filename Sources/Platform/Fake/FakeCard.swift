import Glibc
import Platform

/// A network card of the fake machine: frames that are to come, and those that were sent.
public struct FakeCard {
    public var description: platform_card
    /// To be received, the next first.
    public var incoming: [[UInt8]] = []
    public var sent: [[UInt8]] = []
    /// Frames that it still takes to send.
    public var room = Int.max
    /// What receiving answers; zero to do it.
    public var error: Int64 = 0

    public init(packetLimit: UInt16 = 1500) {
        description = platform_card(
            address: (2, 0x55, 10, 0, 0, 2),
            packet_limit: packetLimit,
            has_link: 1
        )
    }

    /// A frame comes while the kernel does something else.
    public mutating func deliver(_ frame: [UInt8]) {
        incoming.append(frame)
        cpu_set_pending(UInt32(CPU_PENDING_FRAMES))
    }
}

/// What is lent of the card's memory: a frame that came, and room for the next.
private enum CardMemory {
    static let size = 2048
    nonisolated(unsafe) static let lent = UnsafeMutableRawPointer.allocate(
        byteCount: size,
        alignment: 8
    )
    nonisolated(unsafe) static let room = UnsafeMutableRawPointer.allocate(
        byteCount: size,
        alignment: 8
    )
}

func fakeCardDescribe(_ description: UnsafeMutablePointer<platform_card>) -> Int64 {
    guard let card = FakePlatform.card else { return Int64(-ENODEV) }
    description.pointee = card.description
    return 0
}

func fakeCardReceive(_ frame: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int64 {
    guard let card = FakePlatform.card else { return Int64(-ENODEV) }
    guard card.error == 0 else { return card.error }
    guard let next = card.incoming.first else { return 0 }
    FakePlatform.card!.incoming.removeFirst()
    // What was lent before is gone.
    memset(CardMemory.lent, 0x5a, CardMemory.size)
    next.withUnsafeBytes { CardMemory.lent.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    frame.pointee = UnsafeRawPointer(CardMemory.lent)
    return Int64(next.count)
}

func fakeCardRoom() -> UnsafeMutableRawPointer? {
    guard let card = FakePlatform.card, card.sent.count < card.room else { return nil }
    memset(CardMemory.room, 0xa5, CardMemory.size)
    return CardMemory.room
}

func fakeCardSend(_ length: UInt64) {
    let frame = UnsafeRawBufferPointer(start: CardMemory.room, count: Int(length))
    FakePlatform.card?.sent.append(Array(frame))
}
