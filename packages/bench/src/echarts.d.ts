// The library in one file loads eight times as fast as its hundreds of modules, which name its types.
declare module 'echarts/dist/echarts.esm.min' {
  export * from 'echarts';
}
