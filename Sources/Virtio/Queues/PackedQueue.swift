import Registers

/// A packed virtqueue (virtio 1.2, section 2.8): one ring of descriptors that driver and device both
/// write, each round with the opposite of two flags.
public struct PackedQueue: QueueFormat {
    let memory: QueueMemory

    // Flags of a descriptor that this format adds (2.8.1).
    private static var isAvailable: UInt16 { 1 << 7 }
    private static var isUsed: UInt16 { 1 << 15 }
    // Flags of an event suppression structure (2.8.10).
    private static var events: UInt16 { 0 }
    private static var noEvents: UInt16 { 1 }
    private static var eventAtIndex: UInt16 { 2 }

    // Offsets into the shared memory: what the driver wants to be told of, and the device.
    var driverPart: Int { size * 16 }
    var devicePart: Int { size * 16 + 4 }

    static func sharedSize(_ size: Int) -> Int { size * 16 + 8 }

    init(_ memory: QueueMemory) { self.memory = memory }

    // MARK: Offering (2.8.21)

    func offer(_ buffers: UnsafeBufferPointer<Buffer>) -> UInt16 {
        let token = state.pointee.firstFree
        state.pointee.firstFree = chains.chains[Int(token)].next
        let first = Int(state.pointee.offerIndex)
        var firstFlags: UInt16 = 0
        for (position, buffer) in buffers.enumerated() {
            let flags = offerFlags(buffer, isLast: position + 1 == buffers.count)
            let descriptor = shared.pointer + Int(state.pointee.offerIndex) * 16
            device_store64(descriptor, buffer.address)
            device_store32(descriptor + 8, buffer.length)
            device_store16(descriptor + 12, token)
            if position == 0 { firstFlags = flags } else { device_store16(descriptor + 14, flags) }
            advanceOffer()
        }
        chains.begin(token, buffers)
        state.pointee.toldIndex &+= UInt16(buffers.count)
        // The device sees the chain when it sees the first flags.
        device_fence_release()
        store16(first * 16 + 14, firstFlags)
        return token
    }

    private func offerFlags(_ buffer: Buffer, isLast: Bool) -> UInt16 {
        flags(of: buffer, isLast: isLast)
            | (state.pointee.offerWrap ? PackedQueue.isAvailable : PackedQueue.isUsed)
    }

    private func advanceOffer() {
        state.pointee.offerIndex += 1
        guard Int(state.pointee.offerIndex) == size else { return }
        state.pointee.offerIndex = 0
        state.pointee.offerWrap.toggle()
    }

    func needsNotification() -> Bool {
        device_fence()
        let count = state.pointee.toldIndex
        state.pointee.toldIndex = 0
        guard count > 0 else { return false }
        let flags = load16(devicePart + 2) & 3
        guard flags == PackedQueue.eventAtIndex, hasEventIndex else {
            return flags != PackedQueue.noEvents
        }
        device_fence_acquire()
        let place = load16(devicePart)
        let new = state.pointee.offerIndex
        var event = place & 0x7fff
        // It counts from the round before.
        if place >> 15 != (state.pointee.offerWrap ? 1 : 0) { event &-= UInt16(size) }
        return isReached(event: event, new: new, old: new &- count)
    }

    // MARK: Taking (2.8.22)

    private var hasUsed: Bool {
        let flags = load16(Int(state.pointee.takeIndex) * 16 + 14)
        let isAvailable = flags & PackedQueue.isAvailable != 0
        let isUsed = flags & PackedQueue.isUsed != 0
        return isAvailable == isUsed && isUsed == state.pointee.takeWrap
    }

    func take() throws(QueueFault) -> UsedChain? {
        guard hasUsed else { return nil }
        guard state.pointee.offeredChains > 0 else { throw chains.broken(by: .indexJumped) }
        device_fence_acquire()
        let descriptor = shared.pointer + Int(state.pointee.takeIndex) * 16
        let token = Int(device_load16(descriptor + 12))
        // QEMU leaves the flag out that says whether the length means anything, and Linux does not
        // look at it: the length is taken wherever something can be written.
        let (count, chain) = try chains.end(token, device_load32(descriptor + 8), size: size)
        chains.chains[token].next = state.pointee.firstFree
        state.pointee.firstFree = UInt16(token)
        state.pointee.takeIndex += count
        if Int(state.pointee.takeIndex) >= size {
            state.pointee.takeIndex -= UInt16(size)
            state.pointee.takeWrap.toggle()
        }
        return chain
    }

    func enableInterrupt() -> Bool {
        if hasEventIndex {
            let wrap: UInt16 = state.pointee.takeWrap ? 1 << 15 : 0
            store16(driverPart, state.pointee.takeIndex | wrap)
            device_fence_release()
            store16(driverPart + 2, PackedQueue.eventAtIndex)
        } else {
            store16(driverPart + 2, PackedQueue.events)
        }
        device_fence()
        return hasUsed
    }

    func disableInterrupt() { store16(driverPart + 2, PackedQueue.noEvents) }
}
