import Registers

/// A split virtqueue (virtio 1.2, section 2.7): a table of descriptors, and a ring each for chains
/// that are offered and that are used.
public struct SplitQueue {
    private let size: Int
    private let hasEventIndex: Bool
    private let shared: SharedMemory
    let chains: ChainTable

    // Flags of a descriptor (2.7.5), of the available ring (2.7.6) and of the used one (2.7.8).
    private static var hasNext: UInt16 { 1 }
    private static var isWritten: UInt16 { 2 }
    private static var noInterrupt: UInt16 { 1 }
    private static var noNotification: UInt16 { 1 }

    // Offsets into the shared memory; each ring has its flags, its index, its entries, and the
    // event that the other side's index is to reach.
    private var available: Int { size * 16 }
    private var used: Int { SplitQueue.usedOffset(size) }

    private static func usedOffset(_ size: Int) -> Int { (size * 18 + 6 + 3) & ~3 }
    static func sharedSize(_ size: Int) -> Int { usedOffset(size) + 6 + size * 8 }

    init(
        _ size: Int,
        _ hasEventIndex: Bool,
        _ shared: SharedMemory,
        _ own: UnsafeMutableRawPointer
    ) {
        self.size = size
        self.hasEventIndex = hasEventIndex
        self.shared = shared
        chains = ChainTable(size, own)
    }

    var addresses: QueueAddresses {
        QueueAddresses(
            descriptors: shared.address,
            driver: shared.address + UInt64(available),
            device: shared.address + UInt64(used)
        )
    }

    private var state: UnsafeMutablePointer<ChainTable.State> { chains.state }
    private func load16(_ offset: Int) -> UInt16 { device_load16(shared.pointer + offset) }
    private func store16(_ offset: Int, _ value: UInt16) {
        device_store16(shared.pointer + offset, value)
    }

    // MARK: Offering (2.7.13)

    func offer(_ buffers: UnsafeBufferPointer<Buffer>) -> UInt16 {
        let first = state.pointee.firstFree
        var index = first
        for (position, buffer) in buffers.enumerated() {
            let next = chains.chains[Int(index)].next
            write(buffer, at: index, next: position + 1 < buffers.count ? next : nil)
            index = next
        }
        state.pointee.firstFree = index
        chains.begin(first, buffers)
        let position = Int(state.pointee.offerIndex) & (size - 1)
        store16(available + 4 + 2 * position, first)
        state.pointee.offerIndex &+= 1
        device_fence_release()
        store16(available + 2, state.pointee.offerIndex)
        return first
    }

    private func write(_ buffer: Buffer, at index: UInt16, next: UInt16?) {
        let descriptor = shared.pointer + Int(index) * 16
        let flags =
            (buffer.isWritten ? SplitQueue.isWritten : 0) | (next == nil ? 0 : SplitQueue.hasNext)
        device_store64(descriptor, buffer.address)
        device_store32(descriptor + 8, buffer.length)
        device_store16(descriptor + 12, flags)
        device_store16(descriptor + 14, next ?? 0)
    }

    func needsNotification() -> Bool {
        device_fence()
        let (new, old) = (state.pointee.offerIndex, state.pointee.toldIndex)
        state.pointee.toldIndex = new
        guard new != old else { return false }
        guard hasEventIndex else { return load16(used) & SplitQueue.noNotification == 0 }
        return isReached(event: load16(used + 4 + 8 * size), new: new, old: old)
    }

    // MARK: Taking (2.7.14)

    private var hasUsed: Bool { load16(used + 2) != state.pointee.takeIndex }

    func take() throws(QueueFault) -> UsedChain? {
        let index = load16(used + 2)
        guard index != state.pointee.takeIndex else { return nil }
        guard index &- state.pointee.takeIndex <= state.pointee.offeredChains else {
            throw chains.broken(by: .indexJumped)
        }
        device_fence_acquire()
        let entry =
            shared.pointer + used + 4 + 8 * (Int(state.pointee.takeIndex) & (size - 1))
        let token = Int(device_load32(entry))
        let (count, chain) = try chains.end(token, device_load32(entry + 4), size: size)
        free(token, count)
        state.pointee.takeIndex &+= 1
        return chain
    }

    /// Puts a chain's descriptors, which are linked already, before the free ones.
    private func free(_ token: Int, _ count: UInt16) {
        var last = token
        for _ in 1..<count { last = Int(chains.chains[last].next) }
        chains.chains[last].next = state.pointee.firstFree
        state.pointee.firstFree = UInt16(token)
    }

    func enableInterrupt() -> Bool {
        if hasEventIndex {
            store16(available + 4 + 2 * size, state.pointee.takeIndex)
        } else {
            store16(available, 0)
        }
        device_fence()
        return hasUsed
    }

    func disableInterrupt() {
        if hasEventIndex {
            // Reached only after 65535 more.
            store16(available + 4 + 2 * size, state.pointee.takeIndex &- 1)
        } else {
            store16(available, SplitQueue.noInterrupt)
        }
    }
}
