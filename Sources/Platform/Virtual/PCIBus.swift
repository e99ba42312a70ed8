import Platform
import Virtio

/// The PCI buses of a PC, by the two ports of configuration mechanism 1 (PCI 3.0, section 3.2.2.3.2).
enum PCIBus {
    struct Function: PCIFunction {
        let bus: UInt32
        let device: UInt32
        let number: UInt32

        private func select(_ offset: Int) {
            let enabled: UInt32 = 1 << 31
            let place = bus << 16 | device << 11 | number << 8
            port_write32(0xcf8, enabled | place | UInt32(offset & 0xfc))
        }

        func load(_ offset: Int) -> UInt32 {
            select(offset)
            return port_read32(0xcfc)
        }

        func store(_ offset: Int, _ value: UInt32) {
            select(offset)
            port_write32(0xcfc, value)
        }
    }

    private static var nothing: UInt32 { 0xffff_ffff }

    /// Calls `body` with each function of all buses, as firmware has numbered them.
    static func forEachFunction(_ body: (Function) -> Void) {
        forEachFunction(bus: 0, depth: 0, body)
    }

    private static func forEachFunction(bus: UInt32, depth: Int, _ body: (Function) -> Void) {
        for device in 0..<32 as Range<UInt32> {
            let first = Function(bus: bus, device: device, number: 0)
            guard first.load(0) != nothing else {
                // Without a host bridge there is no bus: no need to ask for the rest.
                if bus == 0, device == 0 { return }
                continue
            }
            let hasMore = first.load(0x0c) >> 23 & 1 != 0
            for number in 0..<(hasMore ? 8 : 1) as Range<UInt32> {
                let function = Function(bus: bus, device: device, number: number)
                guard function.load(0) != nothing else { continue }
                body(function)
                followBridge(function, depth, body)
            }
        }
    }

    private static func followBridge(_ function: Function, _ depth: Int, _ body: (Function) -> Void)
    {
        let isBridge = function.load(0x0c) >> 16 & 0x7f == 1
        let secondary = function.load(0x18) >> 8 & 0xff
        guard isBridge, secondary > function.bus, depth < 4 else { return }
        forEachFunction(bus: secondary, depth: depth + 1, body)
    }
}
