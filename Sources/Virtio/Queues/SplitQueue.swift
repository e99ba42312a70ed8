import Registers

/// A split virtqueue (virtio 1.2, section 2.7): a table of descriptors, and a ring each for chains
/// that are offered and that are used.
public struct SplitQueue: QueueFormat {
    let memory: QueueMemory

    // Flags of the available ring (2.7.6) and of the used one (2.7.8).
    private static var noInterrupt: UInt16 { 1 }
    private static var noNotification: UInt16 { 1 }

    // Offsets of the available ring and the used one; each has its flags, its index, its entries, and the
    // event that the other side's index is to reach.
    var driverPart: Int { size * 16 }
    var devicePart: Int { SplitQueue.usedOffset(size) }

    private static func usedOffset(_ size: Int) -> Int { (size * 18 + 6 + 3) & ~3 }
    static func sharedSize(_ size: Int) -> Int { usedOffset(size) + 6 + size * 8 }

    init(_ memory: QueueMemory) { self.memory = memory }

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
        store16(driverPart + 4 + 2 * position, first)
        state.pointee.offerIndex &+= 1
        device_fence_release()
        store16(driverPart + 2, state.pointee.offerIndex)
        return first
    }

    private func write(_ buffer: Buffer, at index: UInt16, next: UInt16?) {
        let descriptor = shared.pointer + Int(index) * 16
        device_store64(descriptor, buffer.address)
        device_store32(descriptor + 8, buffer.length)
        device_store16(descriptor + 12, flags(of: buffer, isLast: next == nil))
        device_store16(descriptor + 14, next ?? 0)
    }

    func needsNotification() -> Bool {
        device_fence()
        let (new, old) = (state.pointee.offerIndex, state.pointee.toldIndex)
        state.pointee.toldIndex = new
        guard new != old else { return false }
        guard hasEventIndex else { return load16(devicePart) & SplitQueue.noNotification == 0 }
        return isReached(event: load16(devicePart + 4 + 8 * size), new: new, old: old)
    }

    // MARK: Taking (2.7.14)

    private var hasUsed: Bool { load16(devicePart + 2) != state.pointee.takeIndex }

    func take() throws(QueueFault) -> UsedChain? {
        let index = load16(devicePart + 2)
        guard index != state.pointee.takeIndex else { return nil }
        guard index &- state.pointee.takeIndex <= state.pointee.offeredChains else {
            throw chains.broken(by: .indexJumped)
        }
        device_fence_acquire()
        let entry =
            shared.pointer + devicePart + 4 + 8 * (Int(state.pointee.takeIndex) & (size - 1))
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
            store16(driverPart + 4 + 2 * size, state.pointee.takeIndex)
        } else {
            store16(driverPart, 0)
        }
        device_fence()
        return hasUsed
    }

    func disableInterrupt() {
        if hasEventIndex {
            // Reached only after 65535 more.
            store16(driverPart + 4 + 2 * size, state.pointee.takeIndex &- 1)
        } else {
            store16(driverPart, SplitQueue.noInterrupt)
        }
    }
}
