/// What the driver knows of its chains, in memory that the device does not see: what a device says
/// is held against it, and nothing is read back from descriptors.
struct ChainTable {
    /// By token: the first descriptor of a chain, or its identifier.
    struct Chain {
        /// The next free token, or the next descriptor of the chain.
        var next: UInt16
        /// Descriptors of an offered chain; zero when there is none.
        var count: UInt16
        /// Bytes that the device may write.
        var writable: UInt32
    }

    struct State {
        var firstFree: UInt16
        /// Descriptors that are not offered.
        var freeCount: UInt16
        var offeredChains: UInt16
        /// Where the driver offers and takes next, and whether those have come round an odd number of
        /// times (packed).
        var offerIndex: UInt16
        var takeIndex: UInt16
        /// The offer index, or descriptors offered, when the device was told last.
        var toldIndex: UInt16
        var offerWrap: Bool
        var takeWrap: Bool
        var fault: UInt8
    }

    let state: UnsafeMutablePointer<State>
    let chains: UnsafeMutablePointer<Chain>

    static func memorySize(_ size: Int) -> Int { 32 + size * MemoryLayout<Chain>.stride }

    init(_ size: Int, _ memory: UnsafeMutableRawPointer) {
        state = memory.bindMemory(to: State.self, capacity: 1)
        chains = (memory + 32).bindMemory(to: Chain.self, capacity: size)
        state.initialize(
            to: State(
                firstFree: 0,
                freeCount: UInt16(size),
                offeredChains: 0,
                offerIndex: 0,
                takeIndex: 0,
                toldIndex: 0,
                offerWrap: true,
                takeWrap: true,
                fault: 0
            )
        )
        for index in 0..<size {
            let next = UInt16(truncatingIfNeeded: index + 1)
            (chains + index).initialize(to: Chain(next: next, count: 0, writable: 0))
        }
    }

    var fault: QueueFault? {
        switch state.pointee.fault {
        case 1: .indexJumped
        case 2: .unknownChain
        case 3: .lengthTooLong
        default: nil
        }
    }

    /// Ends the use of the queue.
    func broken(by fault: QueueFault) -> QueueFault {
        switch fault {
        case .indexJumped: state.pointee.fault = 1
        case .unknownChain: state.pointee.fault = 2
        case .lengthTooLong: state.pointee.fault = 3
        }
        return fault
    }

    /// Takes note of an offered chain.
    func begin(_ token: UInt16, _ buffers: UnsafeBufferPointer<Buffer>) {
        var writable: UInt32 = 0
        for buffer in buffers where buffer.isWritten {
            writable = UInt32(clamping: UInt64(writable) + UInt64(buffer.length))
        }
        chains[Int(token)].count = UInt16(buffers.count)
        chains[Int(token)].writable = writable
        state.pointee.freeCount -= UInt16(buffers.count)
        state.pointee.offeredChains += 1
    }

    /// Takes note of a used chain; how many descriptors it has, and what was written. The length is
    /// not looked at where nothing could be written: devices leave anything there.
    func end(_ token: Int, _ length: UInt32, size: Int)
        throws(QueueFault) -> (count: UInt16, chain: UsedChain)
    {
        guard token < size, chains[token].count > 0 else { throw broken(by: .unknownChain) }
        let chain = chains[token]
        guard length <= chain.writable || chain.writable == 0 else {
            throw broken(by: .lengthTooLong)
        }
        chains[token].count = 0
        state.pointee.freeCount += chain.count
        state.pointee.offeredChains -= 1
        let written = chain.writable == 0 ? 0 : length
        return (chain.count, UsedChain(token: UInt16(token), length: written))
    }
}
