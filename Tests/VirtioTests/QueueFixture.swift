import Testing
import Virtio

/// What a queue can be.
struct QueueKind: CustomTestStringConvertible, Sendable {
    let isPacked: Bool
    let hasEventIndex: Bool

    var testDescription: String {
        (isPacked ? "packed" : "split") + (hasEventIndex ? ", event index" : "")
    }

    static let all = [
        QueueKind(isPacked: false, hasEventIndex: false),
        QueueKind(isPacked: false, hasEventIndex: true),
        QueueKind(isPacked: true, hasEventIndex: false),
        QueueKind(isPacked: true, hasEventIndex: true),
    ]
    static let withEventIndex = all.filter(\.hasEventIndex)
}

/// A queue, and the model of a device at its other end.
final class QueueFixture {
    let kind: QueueKind
    let size: Int
    let memory: TestMemory
    private let own: UnsafeMutableRawPointer
    let queue: Queue
    let device: any ModelDevice

    init(_ kind: QueueKind, size: Int) {
        self.kind = kind
        self.size = size
        memory = TestMemory(Queue.sharedSize(isPacked: kind.isPacked, size: size))
        own = .allocate(byteCount: Queue.ownSize(size), alignment: 8)
        queue = Queue(
            isPacked: kind.isPacked,
            hasEventIndex: kind.hasEventIndex,
            size: size,
            shared: memory.shared,
            own: own
        )
        let hasEventIndex = kind.hasEventIndex
        device =
            kind.isPacked
            ? PackedModel(memory, size: size, hasEventIndex: hasEventIndex, at: queue.addresses)
            : SplitModel(memory, size: size, hasEventIndex: hasEventIndex, at: queue.addresses)
    }

    deinit { own.deallocate() }

    func offer(_ buffers: [Buffer]) -> UInt16? {
        buffers.withUnsafeBufferPointer { queue.offer($0) }
    }

    /// One buffer that the device can write.
    func offerOne(_ length: UInt32 = 512) -> UInt16? {
        queue.offer(Buffer(address: 0x1000, length: length, isWritten: true))
    }

    /// Chains of one buffer each, fetched by the device.
    func exchange(_ count: Int) throws {
        for _ in 0..<count {
            guard offerOne() != nil, let chain = device.fetch() else { throw FixtureError.stuck }
            _ = device.use(chain, length: 1)
            guard try queue.take() != nil else { throw FixtureError.stuck }
        }
    }
}

enum FixtureError: Error { case stuck }

/// Numbers that are the same in each run (SplitMix64).
struct Sequence64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
